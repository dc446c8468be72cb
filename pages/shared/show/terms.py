"""The words of the field that pages use, each explained in a sentence or two: the one glossary."""

TERMS = {
    "nats": "The unit of a loss that is measured with natural logarithms: guessing among 10 classes costs 2.3 nats, "
    "being sure and right costs 0.",
    "P(open)": "The probability that a gate is open (above 0) in a random draw while gates are trained.",
    "z": "The value of a gate in the merged network, without noise: 0 is closed, 1 is fully open.",
    "EMA": "Exponential moving average: each point is mostly the one before and a little of the new value, "
    "so that a noisy curve can be read.",
    "ECE": "Expected calibration error: the average gap between how sure a network says it is and how often it is "
    "right. 0 is best.",
    "logits": "Numbers before they are made into probabilities: 0 stands for one half, larger ones are nearer to 1.",
    "REPAIR": "After two networks were averaged: rescale each channel, so that its mean and spread are again as in the "
    "networks it comes from.",
    "Jeffreys": "The Jeffreys divergence of two distributions: how many nats are lost when one is taken for the other, "
    "one way plus the other way. 0 means that they are the same.",
}


def explained(*names: str) -> str | None:
    """The explanations of these terms as Markdown for ``help=``, which keyboard and touch open too; None of none."""
    return "\n\n".join(f"**{name}**: {TERMS[name]}" for name in names) or None
