"use strict";

const study = JSON.parse(document.getElementById("study").textContent);
const at = id => document.getElementById(id);
const wait = milliseconds => new Promise(done => setTimeout(done, milliseconds));
const painted = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));

function screen(name) {
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== name;
  scrollTo(0, 0);
}

// The value of the button below `place` that is pressed, or whose key is.
function pressed(place) {
  const buttons = [...place.querySelectorAll("button")];
  for (const button of buttons) button.disabled = false;
  if (buttons.length === 1) buttons[0].focus({preventScroll: true});
  return new Promise(done => {
    const end = button => {
      removeEventListener("keydown", byKey);
      for (const each of buttons) { each.onclick = null; each.disabled = true; each.blur(); }
      done(button.dataset.value);
    };
    const byKey = event => {
      if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
      const button = buttons.find(each => each.dataset.key === event.key.toLowerCase());
      if (button) { event.preventDefault(); end(button); }
    };
    for (const button of buttons) button.onclick = () => end(button);
    addEventListener("keydown", byKey);
  });
}

function show(seen) {
  at("image").style.visibility = seen ? "visible" : "hidden";
  at("cross").style.visibility = "hidden";
}

// Show an image for its time, after an empty frame for half as long; then the answer, and how long it took.
async function ask(data) {
  show(false);
  at("image").src = data;
  await at("image").decode();
  at("cross").style.visibility = "visible";
  at("says").textContent = "";
  await wait(500 * study.seconds);
  show(true);
  await painted();
  const start = performance.now();
  await wait(1000 * study.seconds);
  show(false);
  at("says").textContent = "Was it real or generated?";
  const answer = await pressed(at("answers"));
  return {answer, milliseconds: Math.ceil(performance.now() - start)};
}

function progress(kind, number, count) {
  document.querySelector("#progress label").textContent = `${kind} ${number} of ${count}`;
  at("bar").value = (number - 1) / count;
}

async function practise() {
  for (const [index, {image, origin}] of study.practice.entries()) {
    progress("Practice image", index + 1, study.practice.length);
    const {answer} = await ask(image);
    show(true);
    at("says").textContent = `${answer === origin ? "Right" : "No"}: it ${origin === "real" ? "is real" : "was generated"}.`;
    at("answers").hidden = true;
    at("told").hidden = false;
    await pressed(at("told"));
    at("told").hidden = true;
    at("answers").hidden = false;
  }
}

function shuffled(entries) {
  const order = [...entries];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

function stay(event) { event.preventDefault(); }

function finish(answers) {
  const number = [...crypto.getRandomValues(new Uint8Array(4))].map(byte => byte.toString(16).padStart(2, "0")).join("");
  const text = JSON.stringify({study: study.study, participant: number, answers}, null, 1) + "\n";
  at("number").textContent = number;
  at("text").value = text;
  at("save").href = URL.createObjectURL(new Blob([text], {type: "application/json"}));
  at("save").download = `answers-${number}.json`;
  at("save").onclick = () => removeEventListener("beforeunload", stay);
  at("copy").onclick = async () => {
    at("text").select();
    try { await navigator.clipboard.writeText(text); } catch { document.execCommand("copy"); }
    at("copied").textContent = "Copied.";
    removeEventListener("beforeunload", stay);
  };
  screen("end");
}

async function main() {
  at("image").src = (study.practice[0] ?? study.images[0]).image;
  await pressed(at("start"));
  addEventListener("beforeunload", stay);
  if (study.practice.length) {
    screen("task");
    await practise();
    screen("break");
    await pressed(at("break"));
  }
  screen("task");
  const answers = [];
  for (const [index, {id, image}] of shuffled(study.images).entries()) {
    progress("Image", index + 1, study.images.length);
    answers.push({image: id, ...await ask(image)});
  }
  finish(answers);
}

main();
