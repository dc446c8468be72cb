"""The words of the field that pages use, each explained in a sentence or two: the one glossary."""

TERMS = {
    "gate": "A number between 0 and 1 that says how much a part of the merged network takes from one source. Gates are "
    "all that soft merging trains.",
    "hard concrete": "The random variable that a gate is while it is trained: a smooth one, stretched over 0 and 1 and "
    "cut off there, so that it can be exactly 0 or exactly 1.",
    "L0": "The number of gates that are not 0. Its expected value is smooth, so that a penalty on it can close gates.",
    "plain average": "The network whose every weight is the mean of the sources' weights: what merging has to beat.",
    "ensemble": "All sources together: their probabilities are averaged, not their weights. It costs as much as all of "
    "them.",
    "barrier": "How much worse than on the straight line between its ends a path of networks gets on the way.",
    "basin": "A valley of the loss: networks in one can be averaged, for between them there is no barrier.",
    "permutation": "Another numbering of a layer's hidden units, which changes its weights but not what it computes.",
    "weight scope": "Mean and spread of a layer's weights. Scope alignment keeps them alike in networks to be merged.",
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
