// A photo in any of the forms a page has one in → the bytes of an image file, which is what the worker takes.

import { STALL, fetched } from "./fetched.js";

// Why a photo can't be had, beside a server that is out of reach.
const PERMISSIONS =
  ", or does not let this page read its pictures (it has to send Access-Control-Allow-Origin, and this page's content " +
  "security policy to allow it)";

// Files and what is fetched go to the worker as they are, so that they are decoded there as on the command line.
export async function photo(source) {
  if (source instanceof Blob) return source;
  if (typeof source === "string" || source instanceof URL) return fetched(new URL(source, document.baseURI), PERMISSIONS);
  if (source instanceof HTMLImageElement) return ofImage(source);
  if (source instanceof HTMLCanvasElement || isA("OffscreenCanvas", source)) return ofCanvas(source);
  if (source instanceof ImageData) return ofPixels(source);
  if (isA("ImageBitmap", source)) return drawn(source, source.width, source.height);
  throw new TypeError(
    "A photo is a File, a Blob, an address, an <img>, a <canvas>, ImageData or an ImageBitmap, or an array of these; " +
      `got ${source === null ? "null" : (source?.constructor?.name ?? typeof source)}.`,
  );
}

const isA = (name, value) => name in globalThis && value instanceof globalThis[name];

async function ofImage(image) {
  const address = image.currentSrc || image.src;
  if (!address) throw new Error("The <img> shows nothing: give it a src first.");
  try {
    return await fetched(new URL(address, document.baseURI), PERMISSIONS);
  } catch {
    // It may be on the page all the same, such as from an object URL that was revoked.
    const late = new Promise((_, reject) => setTimeout(reject, STALL));
    await Promise.race([image.decode(), late]).catch(() => {
      throw new Error(`The <img> could not load ${address}.`);
    });
    return drawn(image, image.naturalWidth, image.naturalHeight);
  }
}

function drawn(image, width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  canvas.getContext("2d").drawImage(image, 0, 0);
  return ofCanvas(canvas);
}

function ofPixels(pixels) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [pixels.width, pixels.height];
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return ofCanvas(canvas);
}

async function ofCanvas(canvas) {
  if (!canvas.width || !canvas.height) throw new Error("The picture has no pixels.");
  try {
    const type = "image/png";
    const blob = canvas.convertToBlob
      ? await canvas.convertToBlob({ type })
      : await new Promise((resolve) => canvas.toBlob(resolve, type));
    if (blob) return blob;
  } catch (cause) {
    const message =
      "The picture's pixels may not be read: it comes from another origin that does not allow it. " +
      "Load it with crossorigin=\"anonymous\" from a host that sends Access-Control-Allow-Origin.";
    throw new Error(message, { cause });
  }
  throw new Error("The picture is too large for this browser to encode.");
}
