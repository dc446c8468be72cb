"""The formulas of the Gate page, with every symbol named; they are those of softmerge_core/gates.py."""

import streamlit as st

_PARTS = (
    (
        "A draw (equations 10 and 11 of Louizos et al.): noise $u$, uniform on 0 to 1, goes through a sigmoid "
        "$\\sigma$ with the temperature $\\beta$, is stretched to the ends $\\gamma < 0$ and $\\zeta > 1$, and is "
        "clipped. $\\log\\alpha$ is what training moves.",
        r"s = \sigma\!\left(\frac{\log u - \log(1-u) + \log\alpha}{\beta}\right), \quad "
        r"\bar s = s\,(\zeta-\gamma) + \gamma, \quad z = \min(1, \max(0, \bar s))",
    ),
    (
        "The gate after training, without noise (equation 13):",
        r"\hat z = \min(1, \max(0, \sigma(\log\alpha)\,(\zeta-\gamma) + \gamma))",
    ),
    (
        "The expected L0 norm of the gate is the probability that it is not 0 (equation 12), and its gradient is "
        "largest where the gate is undecided:",
        r"P(z \ne 0) = \sigma\!\left(\log\alpha - \beta\log\frac{-\gamma}{\zeta}\right) = p, \qquad "
        r"\frac{\partial p}{\partial \log\alpha} = p\,(1-p)",
    ),
    (
        "The exact masses at both ends; the second follows from the first, for $1 - z$ is such a gate as well:",
        r"P(z = 0) = 1 - p, \qquad P(z = 1) = \sigma\!\left(\log\alpha - \beta\log\frac{1-\gamma}{\zeta-1}\right)",
    ),
    (
        "The density of $\\bar s$, which is that of $z$ between 0 and 1, with "
        "$s = (\\bar s - \\gamma) / (\\zeta - \\gamma)$ and $y = \\beta\\,(\\log s - \\log(1-s)) - \\log\\alpha$:",
        r"f(\bar s) = \frac{\beta\,\sigma(y)\,\sigma(-y)}{s\,(1-s)\,(\zeta-\gamma)}",
    ),
    (
        "Soft merging adds the expected L0 of its gates to the loss $\\mathcal{L}$ of the merged network, with the "
        "penalty $\\lambda$ as its price. A plain gradient step with the learning rate $\\eta$ against the penalty "
        "alone lowers $\\log\\alpha$ by $\\eta\\lambda\\,p\\,(1-p)$.",
        r"\min_{\log\alpha}\; \mathbb{E}_u\!\left[\mathcal{L}(z)\right] + \lambda \sum_g P(z_g \ne 0)",
    ),
)
_NOTES = (
    "On the Merge page the gates of one part are divided by their sum, the price is for the open gates beyond the "
    "first of each part, averaged over the parts, and Adam trains them, whose steps are about as long as the learning "
    "rate however small the gradient. Sources: Louizos, Welling, Kingma 2018, "
    "[arXiv 1712.01312](https://arxiv.org/abs/1712.01312); Soft merging, "
    "[arXiv 2309.12259](https://arxiv.org/abs/2309.12259)."
)


def formulas() -> None:
    """Draw the formulas, closed at first."""
    with st.expander("The formulas", icon=":material/function:"):
        for words, formula in _PARTS:
            st.markdown(words)
            st.latex(formula)
        st.markdown(_NOTES)
