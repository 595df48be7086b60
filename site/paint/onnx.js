// What a painter's file says of itself, read before it is run: the metadata that `monet export` writes.

/** { config, surroundings }: the settings it was trained with; px around a pixel that it looks at, null for all.
 *
 * Throws an Error whose message is for the user where the bytes are not such a file.
 */
export function readPainter(bytes) {
  const metadata = {};
  let version = 0;
  try {
    for (const { field, value } of fields(bytes)) {
      if (field === 1 && typeof value === "number") version = value;
      if (field === 14) {
        const [key, text] = [...fields(value)].map((entry) => new TextDecoder().decode(entry.value));
        metadata[key] = text;
      }
    }
  } catch {
    version = 0;
  }
  if (!version) throw new Error("is not an ONNX file, or is damaged.");
  if (!metadata.config || !metadata.surroundings) {
    throw new Error("is an ONNX file, but no painter that “monet export” wrote.");
  }
  const whole = metadata.surroundings === "whole";
  return { config: JSON.parse(metadata.config), surroundings: whole ? null : Number(metadata.surroundings) };
}

/** The fields of one protobuf message: whole numbers as numbers, everything else as bytes. */
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
    const field = Math.floor(tag / 8), kind = tag % 8;
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
