// A file of this site, its bytes counted as they come.

import { Fault } from "./messages.js";

/** The bytes of a file. Throws a Fault that names its cause.
 * @param {string} url
 * @param {(bytes: number) => void} [onBytes] called with the number of new bytes
 */
export async function download(url, onBytes) {
  const file = String(new URL(url, self.location.href).pathname.split("/").pop());
  const answer = await fetch(url).catch(() => {
    throw new Fault("offline", { file });
  });
  if (!answer.ok) throw new Fault("missing", { file, status: answer.status });
  const reader = answer.body?.getReader();
  const parts = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done || !value) break;
      parts.push(value);
      size += value.length;
      onBytes?.(value.length);
    }
  } catch {
    throw new Fault("offline", { file });
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
