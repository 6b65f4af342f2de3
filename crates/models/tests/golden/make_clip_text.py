"""Makes the golden tokens and features of texts, and the small tokenizer that makes them.

    python crates/models/tests/golden/make_clip_text.py     # torch 2.15, transformers 5.24, open_clip_torch 3.3

The tokenizer is transformers' CLIPTokenizer with a vocabulary of bytes and a few pairs. The text towers are small ones of
transformers and open_clip, with numbers made from the names in their files; the test makes the same numbers. Features are
outputs of the projection, before they are scaled to length 1. With a folder as argument the script also writes a CLIP of full
size (open_clip's ViT-B-16 with OpenAI's vocabulary, which open_clip contains) and its results on the same texts, for the ignored
test.
"""

import json
import sys
import tempfile
from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

from make import generated
from make_names import from_file, shapes

HERE = Path(__file__).resolve().parent
TEXTS = [
    "a photo of a dog.",
    "A Photo  of\tDOGS",
    "it's 2 dogs, the dog's photo!",
    "a photo of a balance beam, horizontal bar",
    "größe naïve 犬 🐕",
    "",
]
NAMES = ["dog sled", "balance beam", "baseball player"]
TEMPLATES = ["a photo of a {}.", "a dark photo of the {}."]
PAIRS = ["a</w>", "o f</w>", "p h", "ph o", "pho t", "phot o</w>", "d o", "do g</w>", "b e", "be a", "bea m</w>", "' s</w>"]


def tokenizer(pairs):
    """Returns a vocabulary in the order of OpenAI's: bytes, bytes that end a word, pairs, the two marks."""
    units = list(open_clip.tokenizer.bytes_to_unicode().values())
    pairs = [tuple(pair.split(" ")) for pair in pairs if " " in pair]
    names = units + [unit + "</w>" for unit in units] + ["".join(pair) for pair in pairs]
    names += ["<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab={name: i for i, name in enumerate(names)}, merges=pairs)


def saved(made, path):
    with tempfile.TemporaryDirectory() as folder:
        made.save_pretrained(folder)
        path.write_text((Path(folder) / "tokenizer.json").read_text())


def text_features(model, ids, length, fill):
    padded = torch.tensor([row + [fill] * (length - len(row)) for row in ids])
    with torch.no_grad():
        output = model(padded)
    return output.flatten().tolist()


def of_transformers(ids, words):
    text = dict(hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=512, vocab_size=words)
    text = dict(text, max_position_embeddings=48, eos_token_id=words - 1, bos_token_id=words - 2, pad_token_id=words - 1)
    vision = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, image_size=32)
    config = CLIPConfig(text_config=text, vision_config=dict(vision, patch_size=8), projection_dim=8)
    model, names = from_file(CLIPModel(config))

    def forward(padded):
        return model.text_projection(model.text_model(input_ids=padded).pooler_output)

    return {"tensors": names, "quick_gelu": True, "features": text_features(forward, ids, 48, words - 1)}


def of_open_clip(ids, words):
    text = dict(context_length=48, vocab_size=words, width=128, heads=2, layers=2)
    model = open_clip.CLIP(8, dict(image_size=32, patch_size=8, width=64, layers=1), text)
    state = {name: generated(name, list(tensor.shape)) for name, tensor in model.state_dict().items()}
    model.load_state_dict(state)
    features = text_features(model.eval().encode_text, ids, 48, 0)
    return {"tensors": shapes(state), "quick_gelu": False, "features": features}


def zero_shot(model, vocabulary):
    """Returns the logits of two images from a classifier that open_clip builds."""
    fill = [template.replace("{}", "{0}").format for template in TEMPLATES]
    classes = open_clip.build_zero_shot_classifier(model, vocabulary, NAMES, fill)
    with torch.no_grad():
        images = model.encode_image(generated("input", [2, 3, 224, 224]), normalize=True)
        return model.logit_scale.exp() * images @ classes


def full_size(folder):
    """Makes numbers like those at the start of training. Numbers made from names would not overflow, but would reveal fewer mistakes."""
    torch.manual_seed(0)
    model = open_clip.create_model("ViT-B-16-quickgelu").eval()
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / "clip.safetensors")
    vocabulary = open_clip.tokenizer.SimpleTokenizer()
    pairs = [" ".join(pair) for pair in sorted(vocabulary.bpe_ranks, key=vocabulary.bpe_ranks.get)]
    saved(tokenizer(pairs), folder / "tokenizer.json")
    ids = vocabulary(TEXTS)
    with torch.no_grad():
        features = model.encode_text(ids)
    ends = (ids.argmax(1) + 1).tolist()
    case = {"tokens": [row[:end] for row, end in zip(ids.tolist(), ends)], "features": features.flatten().tolist()}
    case = dict(case, names=NAMES, templates=TEMPLATES, logits=zero_shot(model, vocabulary).flatten().tolist())
    (folder / "clip_text.json").write_text(json.dumps({"texts": TEXTS, **case}))


def main():
    if len(sys.argv) > 1:
        return full_size(Path(sys.argv[1]))
    small = tokenizer(PAIRS)
    saved(small, HERE / "clip_tokenizer.json")
    ids = [small(text)["input_ids"] for text in TEXTS]
    golden = {"texts": TEXTS, "tokens": ids, "towers": [of_transformers(ids, len(small)), of_open_clip(ids, len(small))]}
    (HERE / "clip_text.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
