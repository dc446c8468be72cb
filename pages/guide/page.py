"""The Guide page: what soft merging is, what each page answers, how each picture is read, and every word explained."""

import tomllib
from functools import cache
from pathlib import Path

import streamlit as st
from pydantic import Field

from pages.shared.show.copy_link import page_head
from pages.shared.show.site_map import lead_to
from pages.shared.show.terms import TERMS
from softmerge_core.settings import Frozen

PURPOSE = "What soft merging is, which page answers which question, and how to read what you see there."
WHAT = """
Networks that were trained apart end in different places, and the **average** of their weights usually works worse than
any of them. **Soft merging** ([arXiv 2309.12259](https://arxiv.org/abs/2309.12259)) leaves the networks as they are and
puts a **gate** between each of them and each part of the merged network: the whole model, a layer, or a single channel.
Only the gates are trained. A gate may be exactly 0, which shuts a bad or malicious network out, or exactly 1.

- **When it helps:** the networks share a start, as fine-tuned copies of one network do. Gates for single channels then
  reach nearly what all of them reach together, at the cost of one.
- **When it does not:** networks from different random weights have nothing in common that could be mixed. Soft merging
  then keeps the best one and says so. Aligning them first helps, seldom beyond the best one.
- **What else would do:** with some hundred labels, training the average a little further is often better. The pages
  show such controls beside every gain.

**Weight scope alignment** ([arXiv 2408.12237](https://arxiv.org/abs/2408.12237)) comes before merging: it trains
networks so that each layer's weights keep a common mean and spread.
"""


class Answer(Frozen):
    """A page: the question it answers, what is done there, and how each of its pictures is read, by their titles."""

    page: str
    asks: str
    does: str
    pictures: dict[str, str] = Field(default_factory=dict)


@cache
def answers() -> tuple[Answer, ...]:
    """What each page answers, in the order of the navigation."""
    text = Path(__file__).with_name("guide.toml").read_text(encoding="utf-8")
    return tuple(Answer.model_validate(each) for each in tomllib.loads(text)["answers"])


def page() -> None:
    """Draw the page."""
    with st.container(key="guide"):
        page_head("Guide", PURPOSE)
        st.header("What soft merging is", anchor="what")
        st.markdown(WHAT)
        st.header("Which page answers what", anchor="pages")
        with st.container(key="page-cards"):
            for answer in answers():
                with st.container(border=True, gap="xsmall", key=f"card-{answer.page}"):
                    _answer(answer)
        st.header("Words", anchor="words")
        st.markdown("\n".join(f"- **{name}**: {text}" for name, text in TERMS.items()))


def _answer(answer: Answer) -> None:
    st.subheader(answer.asks, anchor=answer.page)
    lead_to(answer.page)
    st.markdown(answer.does)
    if answer.pictures:
        with st.expander("How to read its pictures", icon=":material/query_stats:"):
            st.markdown("\n".join(f"- **{title}.** {text}" for title, text in answer.pictures.items()))
