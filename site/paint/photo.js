// A file, a pasted picture or a camera's frame to pixels, upright, in sRGB, on white; or a fault that says what to do.

import { asFault, Fault } from "./messages.js";

const LIMIT = 4032 * 3024; // pixels: what phones call 12 megapixels

/** An image file as a canvas of at most `megapixels`. Throws a Fault.
 * @param {File | Blob} file
 * @param {number} megapixels
 */
export async function readPhoto(file, megapixels) {
  const name = /** @type {File} */ (file).name || "The picture";
  const kind = await sniff(file);
  if (!file.size) throw new Fault("photo-empty", { name });
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    /** @type {Record<string, string>} */
    const codes = { HEIC: "photo-heic", none: "photo-none", other: "photo-other" };
    throw new Fault(codes[kind] ?? "photo-damaged", { name, kind });
  }
  return toCanvas(bitmap, bitmap.width, bitmap.height, megapixels);
}

/** What createImageBitmap or a video shows, as a canvas of at most `megapixels`.
 * @param {ImageBitmap | HTMLVideoElement | HTMLCanvasElement} source
 * @param {number} width
 * @param {number} height
 */
export function toCanvas(source, width, height, megapixels = 12) {
  const scale = Math.min(1, Math.sqrt((megapixels >= 12 ? LIMIT : megapixels * 1e6) / (width * height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  // Kept in memory that is read often: a graphics card's may round colours.
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw asFault("no context", "memory");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  if ("close" in source) source.close();
  return canvas;
}

/** What the first bytes say: "JPEG", "PNG", "WebP", "GIF", "AVIF", "HEIC", "other" or "none". @param {Blob} file */
async function sniff(file) {
  const bytes = new Uint8Array(
    await file
      .slice(0, 16)
      .arrayBuffer()
      .catch(() => new ArrayBuffer(0)),
  );
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
