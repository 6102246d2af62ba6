// A photo in any of the forms a program has one in → its bytes, which is what the worker's thread takes.

import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { MOST_BYTES, TOO_LONG, fetched } from "./fetched.js";

// What is an address and no path: of a path on Windows, a letter and a colon are the beginning.
const ADDRESS = /^(https?|file|data|blob):/i;

// The URL that a path or an address means; a path is seen from the program's working directory.
export function addressOf(value) {
  const isAddress = value instanceof URL || ADDRESS.test(value);
  return isAddress ? new URL(value) : pathToFileURL(resolve(value));
}

// A copy: the program may change its own bytes meanwhile, and shared memory makes no Blob.
export async function photo(source) {
  if (source instanceof Blob) return ofBlob(source);
  if (typeof source === "string" || source instanceof URL) {
    const url = addressOf(source);
    return url.protocol === "file:" ? ofFile(url) : ofBlob(await fetched(url));
  }
  if (ArrayBuffer.isView(source)) return ofBytes(source.buffer, source.byteOffset, source.byteLength);
  if (source instanceof ArrayBuffer || source instanceof SharedArrayBuffer) return ofBytes(source);
  throw new TypeError(
    "A photo is a path, an address, a Blob, a Uint8Array or an ArrayBuffer, or an array of these; " +
      `got ${source === null ? "null" : (source?.constructor?.name ?? typeof source)}.`,
  );
}

async function ofBlob(blob) {
  checkLength(blob.size);
  return new Uint8Array(await blob.arrayBuffer());
}

function ofBytes(buffer, offset = 0, length = buffer.byteLength) {
  checkLength(length);
  return Uint8Array.from(new Uint8Array(buffer, offset, length));
}

async function ofFile(url) {
  const path = fileURLToPath(url);
  try {
    const { size } = await stat(path);
    checkLength(size);
    // Of small files Node gives a part of memory that other files are in too.
    return Uint8Array.from(await readFile(path));
  } catch (cause) {
    if (cause.message === TOO_LONG) throw cause;
    throw new Error(sentence(path, cause), { cause });
  }
}

function sentence(path, { code, message }) {
  if (code === "ENOENT" || code === "ENOTDIR") return `There is no photo ${path}: no such file.`;
  if (code === "EISDIR") return `${path} is a folder: give the paths of the photos in it.`;
  return `The photo ${path} can't be read (${message}).`;
}

function checkLength(bytes) {
  if (bytes > MOST_BYTES) throw new Error(TOO_LONG);
}
