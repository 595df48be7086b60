// Every fault that the page can report: a code for its cause, and here the words for it.

/** A fault for the visitor. code: a key of WORDS; details: what its words name. */
export class Fault extends Error {
  /**
   * @param {string} code
   * @param {Record<string, string | number>} [details]
   */
  constructor(code, details = {}) {
    super(code);
    this.code = code;
    this.details = details;
  }
}

/** Any error as a Fault: an error without a code is the page's own mistake.
 * @param {unknown} error
 * @param {string} [otherwise] the code of an error that has none
 */
export function asFault(error, otherwise = "unknown") {
  if (error instanceof Fault) return error;
  return new Fault(otherwise, { error: String(/** @type {any} */ (error)?.message ?? error) });
}

/** @type {Record<string, (details: any) => string>} */
const WORDS = {
  // A photograph
  "photo-empty": ({ name }) => `“${name}” is empty. Choose another file.`,
  "photo-none": ({ name }) => `“${name}” is not an image. Choose a JPEG, PNG or WebP photo.`,
  "photo-heic": ({ name }) =>
    `“${name}” is a HEIC photo, which this browser can’t open. Save or share it as JPEG first ` +
    "(on an iPhone: Settings, Camera, Formats, Most Compatible), or use Safari.",
  "photo-other": ({ name }) =>
    `“${name}” is an image of a kind that this browser can’t open. Save it as JPEG or PNG first.`,
  "photo-damaged": ({ name, kind }) =>
    `“${name}” is a ${kind} image, but damaged: it can’t be read to its end. Choose another copy.`,
  "photo-elsewhere": () =>
    "The picture lies on another site, which this page may not read. Save it as a file, and drop the file here.",
  "photo-several": ({ count, name }) =>
    `You dropped ${count} files. Only “${name}” is painted: drop one file at a time.`,
  "drop-nothing": () => "There is no picture in what you dropped. Drop an image file.",
  "sample-offline": () => "The sample could not be loaded. Are you offline? Choose a photo of your own.",
  memory: () => "The browser has too little memory for a picture of this size. Choose a smaller size.",
  // The camera
  "camera-refused": () => "The browser may not use the camera. Allow it in the address bar, or choose a photo.",
  "camera-silent": () => "No camera answered. Is another program using it? Choose a photo instead.",
  // The course's painter and the programs that run it
  offline: ({ file }) => `The network does not answer, and ${file} is needed to paint. Connect, then try again.`,
  missing: ({ file, status }) =>
    `${file} is missing on this server (status ${status}). Reload the page; if it stays so, tell the site’s owner.`,
  "not-a-network": ({ file }) =>
    `In place of ${file}, the server sent something else, such as a sign-in page. Sign in to the network, then try again.`,
  "not-a-program": ({ file }) =>
    `In place of ${file}, the server sent something else, such as a sign-in page. Sign in to the network, then try again.`,
  "wasm-forbidden": () =>
    "This browser does not run WebAssembly, which the painter needs: it is old, or a setting or an extension " +
    "forbids it. Allow it for this page, or use another browser.",
  "painter-unable": () => "The painter could not be started. Reload the page; if it stays so, try another browser.",
  "worker-dead": () =>
    "The painter stopped, perhaps for want of memory. Try again, with a smaller size if it stops once more.",
  "worker-silent": ({ seconds }) =>
    `The painter has been silent for ${seconds} seconds, and was stopped. Try again, with a smaller size or a wider brush.`,
  // A painter of one's own
  "painter-damaged": ({ name }) => `“${name}” is not an ONNX file, or is damaged.`,
  "painter-foreign": ({ name }) => `“${name}” is an ONNX file, but no painter that “monet export” wrote.`,
  "painter-settings": ({ name }) => `“${name}” has settings that can’t be read. Write it again with “monet export”.`,
  "painter-fails": ({ name }) =>
    `“${name}” can’t be run here: it is damaged, or uses what this page’s ONNX Runtime doesn’t know.`,
  "painter-unknown": ({ name }) => `This site has no painter “${name}”. The course’s painter is used.`,
  "sample-unknown": ({ name }) => `This site has no sample “${name}”. Here is another one.`,
  // The result
  "share-failed": () => "The picture could not be shared. Save it, and share the file.",
  unknown: ({ error }) => `Something went wrong that this page does not know (${error}). Reload the page.`,
};

/** The words for a fault.
 * @param {{ code: string, details: object }} fault
 */
export function words({ code, details }) {
  return (WORDS[code] ?? WORDS.unknown)({ error: code, ...details });
}
