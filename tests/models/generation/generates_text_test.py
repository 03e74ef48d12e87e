"""Text and how sure the members are of it."""

import keras
import keras_hub
import numpy as np
import pytest

from keras_plex import plexify
from keras_plex.conversion.surgery import walk_layers
from tests import seq2seq_models
from tests.cases import to_numpy
from tests.sharp_words import with_sharp_words


def converted(make=seq2seq_models.t5_seq2seq_lm, **compiled):
    keras.utils.set_random_seed(0)
    stock = with_sharp_words(make())
    model = plexify(stock, last_blocks=1, fast_weight_stddev=0.5, seed=1)
    model.compile(**{"sampler": "greedy", "run_eagerly": True, **compiled})
    return model


def copy_of(prompts):
    return {name: x.copy() for name, x in prompts.items()}


@pytest.mark.parametrize(
    "make", [seq2seq_models.t5_seq2seq_lm, seq2seq_models.gpt2]
)
def test_numbers_are_those_of_the_members(make):
    model = converted(make)
    prompts = seq2seq_models.prompts_for(model)
    found = model.generate_with_uncertainty(prompts, stop_token_ids=None)
    whole = {**prompts}
    decoder = "decoder_" if "decoder_token_ids" in whole else ""
    whole[f"{decoder}token_ids"] = found.token_ids
    whole[f"{decoder}padding_mask"] = np.ones_like(found.generated)
    logits = to_numpy(model.predict_members(whole)).astype("float64")
    odds = np.exp(logits)
    p = odds / odds.sum(-1, keepdims=True)  # (batch, member, length, words)
    mean = p.mean(1)
    entropy = -(mean * np.log(mean)).sum(-1)
    expected = -(p * np.log(p)).sum(-1).mean(1)
    for i, length in enumerate((1, 2)):
        assert not found.generated[i, :length].any()
        assert found.generated[i, length:].all()
        for t in range(8):
            is_new = t >= length
            chosen = np.log(mean[i, t - 1, found.token_ids[i, t]])
            got = [
                found.entropy[i, t],
                found.mutual_information[i, t],
                found.log_probability[i, t],
            ]
            want = [
                entropy[i, t - 1],
                entropy[i, t - 1] - expected[i, t - 1],
                chosen,
            ]
            np.testing.assert_allclose(
                got, want if is_new else [0.0] * 3, atol=1e-4
            )
    assert found.mutual_information.max() > 1e-3
    total = found.log_probability.sum(-1)
    np.testing.assert_allclose(found.sequence_log_probability, total)
    np.testing.assert_allclose(
        found.confidence, np.exp(total / np.array([7, 6]))
    )


def test_the_text_is_that_of_generate():
    model = converted()
    prompts = seq2seq_models.prompts_for(model)
    written = model.generate(copy_of(prompts), stop_token_ids=None)
    found = model.generate_with_uncertainty(prompts, stop_token_ids=None)
    np.testing.assert_array_equal(
        found.token_ids, seq2seq_models.tokens_of(written)
    )
    assert found.text is None


def test_tokens_after_the_end_do_not_count():
    model = converted()
    prompts = seq2seq_models.prompts_for(model, (1,))
    free = model.generate_with_uncertainty(prompts, stop_token_ids=None)
    stop = int(free.token_ids[0, 3])
    found = model.generate_with_uncertainty(prompts, stop_token_ids=(stop,))
    end = list(free.token_ids[0, 1:]).index(stop) + 1
    assert found.generated[0].tolist() == [0 < i <= end for i in range(8)]
    np.testing.assert_allclose(
        found.sequence_log_probability,
        free.log_probability[:, : end + 1].sum(-1),
        atol=1e-5,
    )
    assert not found.entropy[0, end + 1 :].any()


def test_graphs_give_the_numbers_of_eager_passes():
    prompts = seq2seq_models.prompts_for(converted())
    eager, compiled = (
        converted(run_eagerly=flag).generate_with_uncertainty(
            prompts, stop_token_ids=None
        )
        for flag in (True, False)
    )
    for name in ("token_ids", "entropy", "mutual_information"):
        np.testing.assert_allclose(
            getattr(eager, name), getattr(compiled, name), atol=1e-5
        )


def test_numbers_follow_the_weights():
    model = converted(run_eagerly=False)
    prompts = seq2seq_models.prompts_for(model)
    first = model.generate_with_uncertainty(prompts, stop_token_ids=None)
    embedding = model.backbone.token_embedding
    embedding.set_weights([0.0 * x for x in embedding.get_weights()])
    second = model.generate_with_uncertainty(prompts, stop_token_ids=None)
    assert np.abs(first.entropy - second.entropy).max() > 0.1
    np.testing.assert_allclose(second.entropy[0, 1:], np.log(13), atol=1e-4)


def part_without_members(model):
    layers = walk_layers(model.backbone.transformer_layers[0])
    (found,) = [x for x in layers if x.name == "feedforward_output_dense"]
    return found


def test_lora_in_a_part_is_seen_by_text_and_numbers():
    model = converted(seq2seq_models.gpt2, run_eagerly=False, jit_compile=False)
    prompts = seq2seq_models.prompts_for(model, (1, 2), 5)

    def write():
        return model.generate_with_uncertainty(prompts, stop_token_ids=None)

    before = write()
    layer = part_without_members(model)
    layer.enable_lora(2)
    layer.lora_kernel_a.assign(np.ones((8, 2)))
    layer.lora_kernel_b.assign(np.arange(16.0).reshape(2, 8))
    after = write()
    assert np.abs(after.entropy - before.entropy).max() > 0.01
    model.compile(sampler="greedy", run_eagerly=True)
    expected = write()
    np.testing.assert_array_equal(after.token_ids, expected.token_ids)
    np.testing.assert_allclose(after.entropy, expected.entropy, atol=1e-5)


def test_the_function_of_generate_ends_with_the_weights_it_was_made_for():
    model = converted(seq2seq_models.gpt2, run_eagerly=False)
    step = model.make_generate_function()
    assert model.make_generate_function() is step
    part_without_members(model).quantize("int8")
    assert model.make_generate_function() is not step


def test_without_a_preprocessor_the_end_token_must_be_named():
    model = converted()
    with pytest.raises(ValueError, match="stop_token_ids='auto'"):
        model.generate_with_uncertainty(seq2seq_models.prompts_for(model))


def test_plexify_keeps_the_sampler():
    stock = seq2seq_models.t5_seq2seq_lm()
    stock.compile(sampler=keras_hub.samplers.BeamSampler(num_beams=7))
    model = plexify(stock, last_blocks=1)
    assert isinstance(model.sampler, keras_hub.samplers.BeamSampler)
    assert model.sampler.num_beams == 7
    assert model.sampler is not stock.sampler


def test_a_loaded_model_keeps_the_sampler(tmp_path):
    model = converted(sampler=keras_hub.samplers.TopPSampler(p=0.3, seed=4))
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.saving.load_model(path)
    assert isinstance(loaded.sampler, keras_hub.samplers.TopPSampler)
    assert (loaded.sampler.p, loaded.sampler.seed) == (0.3, 4)


def test_another_meaning_of_the_outputs_drops_the_compiled_function():
    model = converted()
    model.generate(seq2seq_models.prompts_for(model), stop_token_ids=None)
    assert model.generate_function is not None
    model.forget_compiled_functions()
    assert model.generate_function is None
