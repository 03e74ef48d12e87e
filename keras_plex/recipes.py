"""The settings of the papers, as data: `plexify(model, **VIT_PLEX_JFT)`.

Beside each stands what `plexify` does not do: optimizer, rates and steps.
"""

from keras_plex.types import Config

# The reference's random features have the scale 1 where a kernel of variance 1
# has sqrt(2 / num_features): its ridge penalty of 1 is this one here, and its
# `mean_field_factor` is 512 times smaller than ours.
_NUM_FEATURES = 1024
_RIDGE_PENALTY = 2 / _NUM_FEATURES

VIT_PLEX_JFT: Config = {
    "ensemble_size": 3,
    "last_blocks": 2,
    "ensemble_attention": True,
    "method": "batch_ensemble",
    "fast_weight_stddev": 0.5,
    "head": "heteroscedastic",
    "head_options": {
        "num_factors": 0,
        "parameter_efficient": False,
        "num_samples": 1000,
        "num_training_samples": 1000,
    },
}
"""ViT-Plex L/32, pretrained on JFT-300M, fine-tuned.

Pretraining: Adam with decoupled weight decay 0.1 of the kernels, learning rate
4e-4 to 1e-5 linear after 10,000 steps of warm-up, batch 4096, 7 epochs, sigmoid
cross-entropy. Fine-tuning: SGD with momentum 0.9, no weight decay, batch 512,
global clip norm 1, cosine after 500 steps of warm-up, softmax cross-entropy,
384 pixels scaled to [-1, 1]; the model of lowest validation loss.

| data | steps | `num_factors` | learning rates | `temperature` |
|---|---|---|---|---|
| CIFAR-10, -100 | 10,000 | 0 | .03 .01 .003 .001 | .15 .3 .5 .75 1 1.5 2 |
| ImageNet | 40,000 | 15 | .06 .03 .01 | 1.25 2 2.5 3 |
| ImageNet, 1 shot | 200 | 0 | .04 .03 .02 | .25 .5 .75 1 2 3 |
| ImageNet, 5 shots | 1,000 | 0 | .05 .04 .03 | .25 .5 .75 1 2 3 |
| ImageNet, 10 shots | 2,000 | 0 | .06 .05 .03 | .25 .5 .75 1 2 3 |

The code shares the diagonal noise among classes, the paper does not: to follow
the code, add `"shared_noise": True` to the head options.

Source: Tran et al., 2022, "Plex: towards reliability using pretrained large
model extensions", and its code, google/uncertainty-baselines:
`vit_l32_plex_finetune.py`.
"""

VIT_PLEX_IMAGENET21K: Config = {
    **VIT_PLEX_JFT,
    "last_blocks": 3,
    "ensemble_attention": False,
    "head_options": {
        **VIT_PLEX_JFT["head_options"],
        "num_factors": 15,
        "temperature": 1.25,
    },
}
"""ViT-Plex L/32, pretrained on ImageNet-21k, fine-tuned on ImageNet.

`num_factors` and `temperature` are those of the published ImageNet model; for
other data see `VIT_PLEX_JFT`. Pretraining: Adam with decoupled weight decay
0.1, global clip norm 1, learning rate 1e-3, batch 4096, 90 epochs, dropout
0.1, sigmoid cross-entropy with labels .9999 and .0001. Fine-tuning as there.

Source: as for `VIT_PLEX_JFT`.
"""

T5_PLEX: Config = {
    "ensemble_size": 3,
    "last_blocks": 1,
    "ensemble_attention": False,
    "method": "batch_ensemble",
    "method_options": {"fast_weight_initializer": "random_sign"},
    "head": "gp",
    "head_options": {
        "mean_function": "zero",
        "num_features": _NUM_FEATURES,
        "orthogonal": False,
        "ridge_penalty": _RIDGE_PENALTY,
        "momentum": None,
    },
}
"""T5-Plex: the feed-forward part of the last decoder layer, GP over the words.

Fine-tuning: Adafactor with decay 0.8, dropout 0.1, z-loss 1e-4, no label
smoothing; inputs of 512 tokens, targets of 1 (MNLI, toxicity) or 3 (NaLUE); a
checkpoint each 10,000 steps, the best by accuracy (MNLI), AUPRC (NaLUE) or
AUROC (toxicity). Learning rate, batch and steps are not published. One NaLUE
model has `ensemble_size=5` and a mean-field factor of 0.05 (theirs: 1e-4).
Their covariance is not reset between epochs and counts padding, and their
output layer is a new one with 1024 weights for each word. Here the stock output
layer makes words of what the process says: half as many weights to read for
each token that is written. With a mean function of zero it starts from nothing:
train longer than from `"mean_function": "linear"`, the default of `plexify`,
which starts as the stock model.

Source: as for `VIT_PLEX_JFT`.
"""

SNGP: Config = {
    "ensemble_size": 1,
    "last_blocks": 0,
    "head": "gp",
    "head_options": {
        "mean_function": "zero",
        "num_features": _NUM_FEATURES,
        "orthogonal": False,
        "ridge_penalty": _RIDGE_PENALTY,
        "momentum": None,
    },
}
"""One model with a Gaussian-process output layer.

Train as without it. The Plex paper's ViT has no spectral normalization; the
SNGP paper has it, with a norm bound of 0.95, around the layers of a ResNet and
the pooler of BERT: `keras_plex.layers.SpectralNormalization`. Their mean-field
factor is 5 (here 2560) or the best of .1 .2 .3 .5 1 2 3 5 10 20; left out, it
is fitted to validation data. For data without epochs: `"momentum": 0.999`.

Source: Liu et al., 2020, "Simple and principled uncertainty estimation with
deterministic deep learning via distance awareness",
https://arxiv.org/abs/2006.10108; numbers of the ViT as for `VIT_PLEX_JFT`.
"""

BATCH_ENSEMBLE: Config = {
    "ensemble_size": 3,
    "last_blocks": 2,
    "ensemble_attention": True,
    "method": "batch_ensemble",
    "fast_weight_stddev": 0.5,
    "head": "batch_ensemble",
}
"""BatchEnsemble alone, output layer included: "BE" in the paper's figures.

Fine-tuning as for `VIT_PLEX_JFT`, best of .5 1 1.5 2 times as many steps, of
signs at random (`method_options={"fast_weight_initializer": "random_sign"}` in
place of the standard deviation), and of a multiplier of .5 1 2 on the learning
rate of the fast weights: `keras_plex.optimizers.prepare_optimizer`.

Source: Wen, Tran and Ba, 2020, "BatchEnsemble: an alternative approach to
efficient ensemble and lifelong learning", https://arxiv.org/abs/2002.06715;
numbers of the ViT as for `VIT_PLEX_JFT`.
"""
