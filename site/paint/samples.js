// The photographs that may be shown: data/photos/ of the repository.

const AITZOL = { by: "Aitzol Berasategi", licence: "CC BY 4.0" };

export const SAMPLES = [
  { file: "pavilion", title: "Pavilion", by: "Daniel Büchele", licence: "CC BY 2.0",
    alt: "a red pavilion of four storeys above a lake, between trees" },
  { file: "peaks", title: "Peaks", ...AITZOL, alt: "a meadow path towards rocky peaks with snow and a cloud" },
  { file: "mountain", title: "Mountain", ...AITZOL, alt: "a grey mountain behind a wood in autumn and a green meadow" },
  { file: "sunset", title: "Sunset", ...AITZOL, alt: "the sun low over dark hills, a stone table in front" },
  { file: "brook", title: "Brook", ...AITZOL, alt: "a brook falling over pale rocks in a wood" },
  { file: "dandelions", title: "Dandelions", by: "Clemens Engelhardt", licence: "CC0",
    alt: "dandelion clocks against a low sun" },
];
