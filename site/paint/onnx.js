// What a painter's .onnx file says of itself, read before it is run: the metadata that `monet export` writes.

import { Fault } from "./messages.js";

/** { config, surroundings }: the settings it was trained with; px around a pixel that it looks at, null for all.
 *
 * Throws a Fault where the bytes are not such a file.
 * @param {Uint8Array} bytes
 * @param {string} name the file's, for the fault
 */
export function readPainter(bytes, name) {
  /** @type {Record<string, string>} */
  const metadata = {};
  let version = 0;
  try {
    for (const { field, value } of fields(bytes)) {
      if (field === 1 && typeof value === "number") version = value;
      if (field === 14 && typeof value !== "number") {
        const [key, text] = [...fields(value)].map((entry) =>
          new TextDecoder().decode(/** @type {any} */ (entry.value)),
        );
        metadata[key] = text;
      }
    }
  } catch {
    version = 0;
  }
  if (!version) throw new Fault("painter-damaged", { name });
  if (!metadata.config || !metadata.surroundings) throw new Fault("painter-foreign", { name });
  const whole = metadata.surroundings === "whole";
  const surroundings = whole ? null : Number(metadata.surroundings);
  let config = null;
  try {
    config = JSON.parse(metadata.config);
  } catch {
    // Reported below.
  }
  const known = config && typeof config === "object" && ["resnet", "unet"].includes(config.model);
  if (
    !known ||
    (surroundings !== null && !(Number.isInteger(surroundings) && surroundings > 0 && surroundings < 1e4))
  ) {
    throw new Fault("painter-settings", { name });
  }
  return { config, surroundings };
}

/** The fields of one protobuf message: whole numbers as numbers, everything else as bytes.
 * @param {Uint8Array} bytes
 * @returns {Generator<{ field: number, value: number | Uint8Array }>}
 */
function* fields(bytes) {
  let at = 0;
  const number = () => {
    let result = 0;
    for (let shift = 1; ; shift *= 128) {
      if (at >= bytes.length || shift > 2 ** 56) throw new Error("cut off");
      const byte = bytes[at++];
      result += (byte & 127) * shift;
      if (byte < 128) return result;
    }
  };
  while (at < bytes.length) {
    const tag = number();
    const field = Math.floor(tag / 8),
      kind = tag % 8;
    if (kind === 0) {
      yield { field, value: number() };
      continue;
    }
    if (!field || ![1, 2, 5].includes(kind)) throw new Error("no protobuf");
    const length = kind === 2 ? number() : kind === 1 ? 8 : 4;
    if (at + length > bytes.length) throw new Error("cut off");
    yield { field, value: bytes.subarray(at, at + length) };
    at += length;
  }
}
