// `fetch` of a file, which Node refuses.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";

const TYPES = { ".json": "application/json", ".wasm": "application/wasm" };

// Answers as a server would, to requests for the rest of a file too.
export async function fetchFile(url, { headers, signal } = {}) {
  let size;
  try {
    ({ size } = await stat(url));
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return new Response(null, { status: 404 });
    throw error;
  }
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(new Headers(headers).get("range") ?? "") ?? [];
  const start = Number(first ?? 0);
  const end = Math.min(last ? Number(last) : size - 1, size - 1);
  if (first !== undefined && start > end) return new Response(null, { status: 416 });
  const type = TYPES[/\.\w+$/.exec(url.pathname)?.[0]] ?? "application/octet-stream";
  const answer = { "content-type": type, "content-length": String(end - start + 1) };
  if (first !== undefined) answer["content-range"] = `bytes ${start}-${end}/${size}`;
  // A file of no bytes has no range.
  const body = size > 0 ? Readable.toWeb(createReadStream(url, { start, end, signal })) : null;
  return new Response(body, { status: first === undefined ? 200 : 206, headers: answer });
}
