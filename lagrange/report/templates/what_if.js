"use strict";
// The what-if panel: x to first order, the objective to second, with a word about how far that holds.
(() => {
  const LARGE_ERROR = 5; // percent of the predicted change: beyond it a prediction is not called valid
  const data = JSON.parse(document.getElementById("what-if-data").textContent);
  const panel = document.getElementById("what-if-panel");
  const verdict = document.getElementById("what-if-verdict");
  const rows = [...document.querySelectorAll("#what-if-results tbody tr")];
  const sliders = data.parameters.map((_, j) => document.getElementById(`slider-${j}`));

  // Six digits, as in the tables; what does not exist is a dash.
  const text = (value) => {
    if (!Number.isFinite(value)) return "–";
    return String(Number(value.toPrecision(6)) || 0);
  };
  const number = (value) => (value === null ? NaN : Number(value === "inf" ? Infinity : value === "-inf" ? -Infinity : value));
  const withUnit = (value, unit) => `${text(value)}${unit ? ` ${unit}` : ""}`;

  // Of the room from the solution to the end of the range, how much this move takes: 1 at the end.
  const share = (parameter, move) => {
    if (move === 0) return 0;
    const room = move > 0 ? number(parameter.upper) - parameter.value : parameter.value - number(parameter.lower);
    return Number.isNaN(room) ? NaN : room <= 0 ? Infinity : Math.abs(move) / room;
  };

  const predicted = (moves) => {
    const result = data.results.slice();
    data.parameters.forEach((parameter, j) => {
      if (moves[j] === 0) return;
      const slopes = moves[j] > 0 ? parameter.right : parameter.left;
      slopes.forEach((slope, i) => { result[i] += number(slope) * moves[j]; });
    });
    if (data.hessian !== null) {
      moves.forEach((a, i) => moves.forEach((b, j) => { result[0] += 0.5 * a * data.hessian[i][j] * b; }));
    }
    return result;
  };

  const moveOnly = (j, move) => data.parameters.map((_, k) => (k === j ? move : 0));

  // The error of the predicted objective, from where the problem was solved again along this parameter alone.
  const error = (j, move) => {
    const { value, points, values } = data.parameters[j];
    const errorAt = (k) => number(values[k]) - predicted(moveOnly(j, points[k] - value))[0];
    for (let k = 0; k + 1 < points.length; k += 1) {
      if (points[k] <= value + move && value + move <= points[k + 1]) {
        const part = (value + move - points[k]) / (points[k + 1] - points[k]);
        return (1 - part) * errorAt(k) + part * errorAt(k + 1);
      }
    }
    return NaN;
  };

  const judged = (moves) => {
    const moved = moves.map((move, j) => j).filter((j) => moves[j] !== 0);
    if (!moved.length) return ["good", "✓ This is the solution itself."];
    const shares = moved.map((j) => share(data.parameters[j], moves[j]));
    const beyond = moved.filter((j, k) => shares[k] > 1);
    if (beyond.length) {
      const words = beyond.map((j) => {
        const parameter = data.parameters[j];
        const [end, event] = moves[j] > 0 ? [parameter.upper, parameter.upper_event] : [parameter.lower, parameter.lower_event];
        return `${parameter.name} is beyond ${withUnit(number(end), parameter.unit)}, where ${event}`;
      });
      return ["bad", `✕ No longer valid: ${words.join("; ")}. Solve again.`];
    }
    if (shares.some(Number.isNaN)) return ["open", "? How far this holds is not known."];
    const total = shares.reduce((sum, part) => sum + part, 0);
    if (moved.length > 1 && !data.smooth) return ["open", "? The solution has a kink here: the sum of one-sided slopes need not be right for several moves at once."];
    if (total > 1) return ["open", "? Each move alone stays in its range, but all together may not: solve again to be sure."];
    if (moved.length > 1) return ["good", "✓ Valid: to first order the same constraints stay active. The error grows with the square of the moves."];
    const [j] = moved;
    const off = error(j, moves[j]);
    const change = predicted(moves)[0] - data.results[0];
    const same = "The same constraints stay active";
    if (Number.isNaN(off)) return ["good", `✓ Valid: ${same.toLowerCase()}. The error grows with the square of the move.`];
    const percent = change === 0 ? 0 : 100 * Math.abs(off / change);
    const words = `solved again, the objective would be about ${withUnit(data.results[0] + change + off, data.unit)}`;
    if (percent > LARGE_ERROR) return ["open", `? ${same}, but the predicted change of the objective is off by about ${Math.round(percent)} %: ${words}.`];
    return ["good", `✓ Valid: ${same.toLowerCase()}; ${words}.`];
  };

  const update = () => {
    const moves = sliders.map((slider, j) => Number(slider.value) * data.parameters[j].step);
    const result = predicted(moves);
    const [state, words] = judged(moves);
    rows.forEach((row, i) => {
      row.querySelector(".predicted").textContent = text(result[i]);
      row.querySelector(".change").textContent = text(result[i] - data.results[i]);
    });
    sliders.forEach((slider, j) => {
      const parameter = data.parameters[j];
      const value = withUnit(parameter.value + moves[j], parameter.unit);
      document.getElementById(`slider-${j}-value`).textContent = value;
      slider.setAttribute("aria-valuetext", value);
      slider.parentElement.classList.toggle("beyond", share(parameter, moves[j]) > 1);
    });
    verdict.className = `verdict-line ${state}`;
    verdict.textContent = words;
    document.getElementById("what-if-results").classList.toggle("beyond", state === "bad");
  };

  sliders.forEach((slider) => slider.addEventListener("input", update));
  document.getElementById("what-if-reset").addEventListener("click", () => {
    sliders.forEach((slider) => { slider.value = "0"; });
    update();
  });
  sliders.forEach((slider) => { slider.value = "0"; }); // browsers remember where it was
  panel.hidden = false;
  update();

  // Paper has no folds.
  window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
})();
