// The sample photographs, site/paint/samples/, which may be shown; data/README.md says where they come from.

const AITZOL = { by: "Aitzol Berasategi", licence: "CC BY 4.0" };

/** The first one is shown when the page opens. */
export const SAMPLES = [
  { file: "peaks", title: "Peaks", ...AITZOL, alt: "a meadow path towards rocky peaks with snow and a cloud" },
  {
    file: "dandelions",
    title: "Dandelions",
    by: "Clemens Engelhardt",
    licence: "CC0",
    alt: "dandelion clocks against a low sun",
  },
  { file: "mountain", title: "Mountain", ...AITZOL, alt: "a grey mountain behind a wood in autumn and a green meadow" },
  { file: "sunset", title: "Sunset", ...AITZOL, alt: "the sun low over dark hills, a stone table in front" },
  { file: "brook", title: "Brook", ...AITZOL, alt: "a brook falling over pale rocks in a wood" },
  { file: "dogs", title: "Friends", ...AITZOL, alt: "two spaniels looking out between the boards of a porch" },
];
