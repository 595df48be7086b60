// A file, a pasted picture or a camera's frame to pixels, upright, in sRGB, on white; or an error that says what to do.

const LIMIT = 4032 * 3024; // pixels: what phones call 12 megapixels

/** An image file as a canvas of at most `megapixels`. Throws an Error whose message is for the user. */
export async function readPhoto(file, megapixels) {
  const kind = await sniff(file);
  if (!file.size) throw new Error(`${name(file)} is empty. Choose another file.`);
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Error(`${name(file)} ${explain(kind)}`);
  }
  return toCanvas(bitmap, bitmap.width, bitmap.height, megapixels);
}

/** What createImageBitmap or a video shows, as a canvas of at most `megapixels`. */
export function toCanvas(source, width, height, megapixels = 12) {
  const scale = Math.min(1, Math.sqrt((megapixels >= 12 ? LIMIT : megapixels * 1e6) / (width * height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  // Kept in memory that is read often: a graphics card's may round colours.
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  source.close?.();
  return canvas;
}

function name(file) {
  return `“${file.name || "The picture"}”`;
}

function explain(kind) {
  if (kind === "HEIC") {
    return "is a HEIC photo, which this browser can’t open. Save or share it as JPEG first "
      + "(on an iPhone: Settings, Camera, Formats, Most Compatible), or use Safari.";
  }
  if (kind === "none") return "is not an image. Choose a JPEG, PNG or WebP photo.";
  if (kind === "other") return "is an image of a kind that this browser can’t open. Save it as JPEG or PNG first.";
  return `is a ${kind} image, but damaged: it can’t be read to its end. Choose another copy.`;
}

/** What the first bytes say: "JPEG", "PNG", "WebP", "GIF", "AVIF", "HEIC", "other" or "none". */
async function sniff(file) {
  const bytes = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  const text = String.fromCharCode(...bytes);
  if (text.startsWith("\xff\xd8\xff")) return "JPEG";
  if (text.startsWith("\x89PNG")) return "PNG";
  if (text.startsWith("GIF8")) return "GIF";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "WebP";
  if (text.slice(4, 8) === "ftyp") {
    if (/^avi[fs]/.test(text.slice(8))) return "AVIF";
    if (/^(hei|hev|mif1|msf1)/.test(text.slice(8))) return "HEIC";
    return "none"; // a film
  }
  if (/^(BM|II\*\0|MM\0\*|8BPS)/.test(text)) return "other";
  return "none";
}
