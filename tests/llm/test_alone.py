"""The model alone, on tiny checkpoints with random weights: free text and text under a grammar."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="needs the extra 'llm'")
pytest.importorskip("transformers")
pytest.importorskip("peft")

from qilin.llm.on_this_machine.local import LocalGapFiller
from qilin.training.alone import ModelAlone
from tests.llm.tiny import FOLDERS, write_base


@pytest.fixture(scope="module", params=sorted(FOLDERS))
def filler(request, tmp_path_factory) -> LocalGapFiller:
    folder = write_base(tmp_path_factory.mktemp("models") / request.param, **FOLDERS[request.param])
    return LocalGapFiller.load(folder, device="cpu")


@pytest.fixture(scope="module")
def alone(filler) -> ModelAlone:
    return ModelAlone(filler)


def test_free_generation_is_that_of_transformers(filler, alone):
    import torch

    prompt = torch.tensor([filler.prompt("菏泽投诉")])
    with torch.inference_mode():
        ids = filler.model.generate(prompt, do_sample=False, max_new_tokens=40, eos_token_id=filler.end)[
            0, prompt.shape[1] :
        ]
    wanted = filler._tokenizer.decode([i for i in ids.tolist() if i != filler.end], skip_special_tokens=False)
    said = [answer.text for answer in alone.generate(["菏泽投诉", "麒麟所意见数量"])]
    assert said[0][:20] == wanted[:20]
    assert said == [alone.generate([q])[0].text for q in ("菏泽投诉", "麒麟所意见数量")]


def test_generation_under_a_grammar(alone):
    pytest.importorskip("llguidance")
    grammar = 'start: "菏泽" ("<Indicator>投诉</Indicator>" | "投诉" | "<Date>") ("数" | "量")'
    answers = alone.generate(["菏泽投诉数", "麒麟"], grammar=lambda query: grammar)
    for answer in answers:
        assert answer.error is None
        assert answer.text[:-1] in {"菏泽<Indicator>投诉</Indicator>", "菏泽投诉", "菏泽<Date>"}
        assert answer.text[-1] in "数量"


def test_tags_of_one_token_can_be_said_under_a_grammar(filler, alone):
    pytest.importorskip("llguidance")
    for tag in ("Province", "City", "Company", "Substation", "Indicator", "Date"):
        said = alone.generate(["菏泽"], grammar=lambda query, tag=tag: f'start: "<{tag}>菏泽</{tag}>"')[0]
        assert (said.text, said.error) == (f"<{tag}>菏泽</{tag}>", None)
        if filler.name == "local:tags":
            ids = filler.encode(f"<{tag}>").ids
            assert len(ids) == 1 and alone.matcher(f'start: "<{tag}>"').consume_token(ids[0])


def test_a_grammar_that_is_none(alone):
    pytest.importorskip("llguidance")
    answer = alone.generate(["菏泽"], grammar=lambda query: "start: nothing")[0]
    assert answer.text == "" and "llguidance" in answer.error
