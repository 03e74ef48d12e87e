"""Tiny collections of intents in their published formats."""

import json

HWU64_HEADER = (
    "userid;answerid;scenario;intent;status;answer_annotation;notes;"
    "suggested_entities;answer_normalised;answer;question"
)


def write_clinc150(folder, data=None, domains=None):
    folder.mkdir(exist_ok=True)
    data = data or {
        "train": [["send 5 dollars", "transfer"], ["fly me", "book_flight"]],
        "val": [["move money", "transfer"]],
        "test": [["a ticket", "book_flight"]],
        "oos_train": [["who won", "oos"]],
        "oos_val": [["why is it", "oos"]],
        "oos_test": [["so what", "oos"], ["sing", "oos"]],
    }
    domains = domains or {"banking": ["transfer"], "travel": ["book_flight"]}
    (folder / "data_full.json").write_text(json.dumps(data))
    (folder / "domains.json").write_text(json.dumps(domains))
    return folder


def write_csv(path, rows, header="text,category"):
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def write_banking77(folder):
    rows = [f'"my card, number {i}",card_arrival' for i in range(12)]
    write_csv(folder / "train.csv", [*rows, "top up now,top_up"])
    write_csv(folder / "test.csv", ["where is my card,card_arrival"])
    return folder


def hwu64_line(number, scenario, intent, status="", text=None):
    text = f"{scenario} {intent} {number}" if text is None else text
    return f"{number};1;{scenario};{intent};{status};x;;;y;{text};q"


def write_hwu64(path):
    rows = [hwu64_line(i, "alarm", "set") for i in range(21)]
    rows += [
        hwu64_line(90, "music", "query"),
        hwu64_line(91, "music", "query", "IRR_XL"),
        hwu64_line(92, "music", "query", text=""),
    ]
    return write_csv(path, rows, HWU64_HEADER)
