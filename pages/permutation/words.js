// What is said about the networks, in words and numbers.
const UP = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

function percentText(share) { return Number.isFinite(share) ? `${(100 * share).toFixed(1)}\u00a0%` : "unknown"; }

function numberText(value, digits = 3) {
  if (!Number.isFinite(value)) return "not finite";
  const [mantissa, power] = String(Number(value.toPrecision(digits))).split("e");
  if (!power) return mantissa;
  return `${mantissa}\u00a0×\u00a010${[...power].map((sign) => UP[sign] ?? "").join("")}`;
}

function lossText(loss) { return Number.isFinite(loss) ? `loss ${numberText(loss)}\u00a0nats` : "loss not finite"; }

function secondsText(seconds) {
  return seconds < 1 ? `${Math.max(1, Math.round(1000 * seconds))}\u00a0ms` : `${seconds.toFixed(1)}\u00a0s`;
}

function unitsText(count) { return `${count} ${count === 1 ? "unit" : "units"}`; }

function standText(away, all) { return `${away} of ${all} units ${away === 1 ? "stands" : "stand"} elsewhere`; }

function sameText(difference) {
  return difference === 0 ? "the same to the last digit" : `the same to ${numberText(difference, 1)}`;
}

function changeText(difference) {
  const size = difference === 0 ? "0" : `${numberText(difference, 1)}, which is rounding`;
  return `Largest change of an output by the moves: ${size}.`;
}

function turnText(before, after) {
  if (Math.abs(after - before) < 5e-4) return `stays at ${percentText(after)}`;
  return `${after < before ? "falls" : "rises"} from ${percentText(before)} to ${percentText(after)}`;
}

// The sentence above the picture. `view`: {away, all, difference, first, second, mean} with {title, accuracy} each.
function summaryText({ apart, away, all, difference, first, second, mean }) {
  if (!apart && !away)
    return `Every unit stands where it was trained: both networks are one and the same, and so is their average (${percentText(mean.accuracy)}). Shuffle some.`;
  if (!apart)
    return `${standText(away, all)}: the function is ${sameText(difference)}, but its average with the original ${turnText(first.accuracy, mean.accuracy)}.`;
  const own = `alone they reach ${percentText(first.accuracy)} and ${percentText(second.accuracy)}`;
  const begun = away
    ? `${standText(away, all)} than where ${second.title} was trained: its function is ${sameText(difference)}`
    : `${second.title} stands in the order in which it was trained`;
  return `${begun}; its average with ${first.title} reaches ${percentText(mean.accuracy)}, while ${own}.`;
}

// Before it is asked for, under the buttons.
const ALIGN = "Align lets weight matching look for the order in which the second network is nearest to the first. What comes of it is told here.";

// What the engine's matching has come to. `was`: the places, away and average accuracy when it was asked for.
function matchedText({ apart, trunk, was, now, answer, first, mean }) {
  const time = `The matching itself took ${secondsText(answer.seconds)}, with all around it ${secondsText(answer.waited)}.`;
  if (apart) return `Weight matching moved ${unitsText(now.moved)}: the average ${turnText(was.accuracy, mean.accuracy)}. ${apartText(trunk, first, mean)} ${time}`;
  if (!was.away) return `There was nothing to put back, and weight matching moved ${now.moved ? unitsText(now.moved) : "nothing"}. ${time}`;
  const rest = now.away ? `${unitsText(now.away)} still stand${now.away === 1 ? "s" : ""} elsewhere, and ` : "";
  return `Weight matching put ${now.back} of ${was.away} units back rightly: ${rest}the average ${turnText(was.accuracy, mean.accuracy)}. ${time}`;
}

function apartText(trunk, first, mean) {
  if (trunk) return "Both come from one trunk: their units correspond as they were trained.";
  const near = mean.accuracy > first.accuracy - 0.02 ? "Here it comes near what they have alone, but" : "It does not reach what they have alone:";
  return `${near} networks that were trained apart have learned different units, so no order is the right one.`;
}
