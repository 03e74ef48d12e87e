"""What a converted model adds to the stock one."""
