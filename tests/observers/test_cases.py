"""Every observer against its case files, and against whatever a host may print."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from reconciler.domain.observation import Absent, Known, Unknown
from reconciler.domain.reasons import Reason
from reconciler.observers import ParseError, Seen, observers
from reconciler.ports import Answer

CASES = sorted((Path(__file__).parent.parent / "cases" / "observers").glob("*/*.json"))
AT = datetime(2026, 1, 2, tzinfo=UTC)


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def told(seen: Seen) -> dict[str, object]:
    """Write what was seen as cases do; an Unknown's text only in part."""

    def one(observed: object) -> object:
        match observed:
            case Known(value, at):
                assert at == AT
                return {"known": json.loads(TypeAdapter(type(value)).dump_json(value))}
            case Unknown(reason, text, _):
                assert reason == Reason.HOST_OUTPUT_INVALID
                return {"unknown": text}
        assert observed == Absent(AT)
        return {"absent": True}

    return {subject: one(observed) for subject, observed in seen.items()}


@pytest.mark.parametrize("path", CASES, ids=name)
def test_case(path: Path) -> None:
    case = json.loads(path.read_text())
    answer = Answer(case["code"], case["output"].encode())
    parse = observers()[path.parent.name].parse
    if "error" in case:
        with pytest.raises(ParseError) as caught:
            parse(answer, AT)
        assert case["error"] in str(caught.value)
        assert str(caught.value).isprintable()
        return
    seen, expected = told(parse(answer, AT)), case["seen"]
    for subject, one in expected.items():
        if "unknown" in one:
            assert one["unknown"] in seen[subject]["unknown"]
            one["unknown"] = seen[subject]["unknown"]
    assert seen == expected


@pytest.mark.parametrize("observer", sorted(observers()))
@pytest.mark.parametrize(
    "output", [b"\xff\xfe", b"\0end\n", b"x" * (2 << 20), b"", b"end", b"\n" * 5000, b"end\nend\n"]
)
def test_garbage_cannot_be_read(observer: str, output: bytes) -> None:
    with pytest.raises(ParseError):
        observers()[observer].parse(Answer(0, output), AT)


@pytest.mark.parametrize("observer", sorted(observers()))
@given(data=st.data())
def test_parsers_raise_nothing_but_parse_errors(observer: str, data: st.DataObject) -> None:
    whole = [json.loads(path.read_text())["output"] for path in CASES if path.parent.name == observer]
    text = data.draw(st.sampled_from([one for one in whole if len(one) < 3000]))
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, len(text)))
    mangled = text[:start] + data.draw(st.text(max_size=20)) + text[stop:]
    output = data.draw(st.sampled_from([mangled, mangled + "end\n"])).encode(errors="surrogatepass")
    try:
        seen = observers()[observer].parse(Answer(0, output), AT)
    except ParseError:
        return
    assert all(isinstance(one, Known | Absent | Unknown) for one in seen.values())
