"use strict";

// Letters and digits of a text, lower case, without accents, one space before each word.
function folded(text) {
  const plain = text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  return " " + plain.replace(/[^\p{L}\p{N}]+/gu, " ").trim();
}

// A function from what was typed to all names that contain every word of it, the likeliest first:
// names that begin with it, then names with words that begin so, then the rest. Its `exact` gives the
// one name that was typed in full, or null.
function searcher(names) {
  const known = names.map((name) => ({ name, text: folded(name) }));
  const search = (typed) => {
    const wanted = folded(typed);
    const words = wanted.trim().split(" ");
    const rank = (text) => {
      if (!words.every((word) => text.includes(word))) return -1;
      if (text.startsWith(wanted)) return 0;
      return words.every((word) => text.includes(" " + word)) ? 1 : 2;
    };
    const ranked = known.map(({ name, text }) => ({ name, rank: rank(text) })).filter((entry) => entry.rank >= 0);
    return ranked.sort((a, b) => a.rank - b.rank).map((entry) => entry.name);
  };
  search.exact = (typed) => known.find(({ text }) => text.trim() && text === folded(typed))?.name ?? null;
  return search;
}

// Names may be written with underscores in a task; people read words.
function readable(name) {
  return name.replaceAll("_", " ");
}
