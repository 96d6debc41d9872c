const study = JSON.parse(document.getElementById("study-data").textContent);
const search = searcher(study.diagnoses);
const MOST_DIAGNOSES = 3;
const STORED = `medaug-study:${study.study}:`;

const element = (id) => document.getElementById(id);
const slots = [...document.querySelectorAll(".diagnosis")].map((fieldset) => ({
  fieldset,
  field: fieldset.querySelector("[role=combobox]"),
  confidence: [...fieldset.querySelectorAll("[type=radio]")],
}));
const quality = [...document.querySelectorAll("[name=diagnosable]")];

let rater = "";
let place = 0;
let answers = {}; // by image: {diagnosable: true | false | null, diagnoses: three of {condition, confidence}}

// ---- answers ------------------------------------------------------------------------------------

function blank() {
  return { diagnosable: null, diagnoses: slots.map(() => ({ condition: null, confidence: null })) };
}

function answer() {
  return (answers[study.images[place].image] ??= blank());
}

function given(one) {
  return one.diagnoses.filter(({ condition }) => condition !== null);
}

function complete(one) {
  if (!one || one.diagnosable === null) return false;
  const named = given(one);
  return !one.diagnosable || (named.length > 0 && named.every(({ confidence }) => confidence !== null));
}

function rated() {
  return study.images.filter(({ image }) => complete(answers[image])).length;
}

// ---- storage ------------------------------------------------------------------------------------

function save() {
  let text = "Saved in this browser.";
  try {
    localStorage.setItem(STORED + rater, JSON.stringify({ place, answers }));
  } catch {
    text = "This browser saves nothing: export before you close the page.";
  }
  element("saved").textContent = text;
  element("saved").classList.toggle("warning", !text.startsWith("Saved"));
}

function stored() {
  try {
    return Object.keys(localStorage)
      .filter((name) => name.startsWith(STORED))
      .map((name) => ({ rater: name.slice(STORED.length), ...JSON.parse(localStorage.getItem(name)) }));
  } catch {
    return [];
  }
}

function exported() {
  const ratings = study.images.filter(({ image }) => complete(answers[image])).map(({ image }) => {
    const { diagnosable } = answers[image];
    return { image, diagnosable, diagnoses: diagnosable ? given(answers[image]) : [] };
  });
  return { format: study.format, study: study.study, rater, images: study.images.length, ratings };
}

function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(exported(), null, 1)], { type: "application/json" }));
  link.download = `study-${study.study.slice(0, 8)}-${rater.replace(/[^\p{L}\p{N}_-]+/gu, "_")}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  element("exported").textContent = `Exported to ${link.download}. Send this file to whoever gave you the page.`;
}

// ---- views --------------------------------------------------------------------------------------

function view(name) {
  for (const id of ["start", "rating", "end"]) element(id).hidden = id !== name;
  window.scrollTo(0, 0);
}

function showStart() {
  const buttons = stored().map((one) => {
    const button = document.createElement("button");
    button.type = "button";
    const count = study.images.filter(({ image }) => complete(one.answers[image])).length;
    button.textContent = `Go on as ${one.rater} (${count} of ${study.images.length} rated)`;
    button.addEventListener("click", () => begin(one.rater));
    return button;
  });
  element("again").hidden = buttons.length === 0;
  element("saved-raters").replaceChildren(...buttons);
  view("start");
  (buttons[0] ?? element("rater")).focus();
}

function begin(name) {
  const found = stored().find((one) => one.rater === name);
  rater = name;
  answers = found?.answers ?? {};
  element("who").textContent = rater;
  show(Math.min(found?.place ?? 0, study.images.length - 1));
}

function show(index) {
  place = index;
  const { picture } = study.images[place];
  element("picture").src = picture;
  element("picture").alt = `Image ${place + 1} of ${study.images.length}, to be rated`;
  element("place").textContent = `Image ${place + 1} of ${study.images.length}`;
  element("back").disabled = place === 0;
  fill(answer());
  complain("");
  view("rating");
  (quality.find((radio) => radio.checked) ?? quality[0]).focus();
}

function fill(one) {
  for (const radio of quality) radio.checked = one.diagnosable !== null && radio.value === String(one.diagnosable);
  slots.forEach(({ field, confidence }, i) => {
    field.value = readable(one.diagnoses[i].condition ?? "");
    for (const radio of confidence) radio.checked = Number(radio.value) === one.diagnoses[i].confidence;
  });
  update();
}

// Show what belongs to the answer so far, and save it.
function update() {
  element("diagnoses").hidden = answer().diagnosable !== true;
  const count = rated();
  element("progress").value = count;
  element("count").textContent = `${count} of ${study.images.length} rated`;
  save();
}

function showEnd() {
  const left = study.images.length - rated();
  element("summary").textContent = left
    ? `${rated()} of ${study.images.length} images are rated; ${left} ${left === 1 ? "is" : "are"} left. You can export now and go on later.`
    : `All ${study.images.length} images are rated. Thank you. Now export your ratings.`;
  element("unrated").hidden = left === 0;
  element("exported").textContent = "";
  view("end");
  element("end-title").focus();
}

// ---- what a rater does --------------------------------------------------------------------------

// The first thing that is missing or wrong: a sentence and the element to go to, or null.
function problem() {
  const one = answer();
  if (one.diagnosable === null) return ["Say whether the image is good enough for a diagnosis.", quality[0]];
  if (!one.diagnosable) return null;
  for (const [i, { field, confidence }] of slots.entries()) {
    const { condition, confidence: value } = one.diagnoses[i];
    if (field.value.trim() && condition === null) return [`“${field.value}” is not on the list: choose from the list, or “other”.`, field];
    if (condition !== null && one.diagnoses.slice(0, i).some((d) => d.condition === condition)) return ["This diagnosis is given twice.", field];
    if (condition !== null && value === null) return [`How confident are you in “${readable(condition)}”?`, confidence[0]];
  }
  return given(one).length ? null : ["Give at least one diagnosis.", slots[0].field];
}

function complain(text) {
  element("problem").textContent = text;
}

function next() {
  const found = problem();
  if (found) {
    complain(found[0]);
    found[1].focus();
  } else step(1);
}

function step(by) {
  if (place + by >= study.images.length) showEnd();
  else show(place + by);
}

function judge(value, goOn) {
  answer().diagnosable = value;
  quality[value ? 0 : 1].checked = true;
  complain("");
  update();
  if (goOn) (value ? slots[0].field : element("next")).focus();
}

function diagnose(index, condition, fromList) {
  const one = answer().diagnoses[index];
  one.condition = condition;
  if (condition === null) {
    one.confidence = null;
    for (const radio of slots[index].confidence) radio.checked = false;
  }
  complain("");
  update();
  if (fromList) (slots[index].confidence.find((radio) => radio.checked) ?? slots[index].confidence[0]).focus();
}

function trust(index, value, goOn) {
  answer().diagnoses[index].confidence = value;
  slots[index].confidence[value - 1].checked = true;
  complain("");
  update();
  if (goOn) (slots[index + 1]?.field ?? element("next")).focus();
}

// ---- wiring -------------------------------------------------------------------------------------

element("who-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = element("rater").value.trim();
  if (name) begin(name);
});
element("form").addEventListener("submit", (event) => {
  event.preventDefault();
  next();
});
for (const radio of quality) radio.addEventListener("change", () => judge(radio.value === "true", false));
element("quality").addEventListener("keydown", (event) => {
  const value = { y: true, n: false }[event.key.toLowerCase()];
  if (value === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  judge(value, true);
});
slots.forEach(({ fieldset, field, confidence }, i) => {
  const [list, status] = [fieldset.querySelector("[role=listbox]"), fieldset.querySelector("[role=status]")];
  combobox(field, list, status, search, (condition, fromList) => diagnose(i, condition, fromList));
  for (const radio of confidence) {
    radio.addEventListener("change", () => trust(i, Number(radio.value), false));
    radio.addEventListener("keydown", (event) => {
      if (!/^[1-5]$/.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      trust(i, Number(event.key), true);
    });
  }
});
element("back").addEventListener("click", () => step(-1));
element("skip").addEventListener("click", () => step(1));
element("pause").addEventListener("click", showEnd);
element("export").addEventListener("click", download);
element("return").addEventListener("click", () => show(place));
element("unrated").addEventListener("click", () => show(study.images.findIndex(({ image }) => !complete(answers[image]))));
showStart();
