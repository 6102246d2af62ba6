// A photo that is given by its address.

// The worker refuses longer files (crates/beit/src/decode.rs).
export const MOST_BYTES = 256 * 2 ** 20;
export const TOO_LONG = `The photo is longer than ${MOST_BYTES / 2 ** 20} MB, which is the most.`;
// After so many milliseconds without a byte a photo is given up.
export const STALL = 20_000;

// A photo of an address, as a Blob. `permissions` follows the sentence about a server that is out of reach.
export async function fetched(url, permissions = "") {
  const controller = new AbortController();
  let silent = false;
  const inTime = (promise) => {
    const fall = () => {
      silent = true;
      controller.abort();
    };
    const timer = setTimeout(fall, STALL);
    return promise.finally(() => clearTimeout(timer));
  };
  try {
    const response = await inTime(fetch(url, { signal: controller.signal }));
    if (!response.ok) throw new Refusal(`The photo could not be fetched: ${url.href} answered ${response.status}.`);
    return await body(response, inTime);
  } catch (cause) {
    if (cause instanceof Refusal) throw new Error(cause.message);
    const place = url.host || url.protocol;
    const message = silent
      ? `The photo could not be fetched: ${place} sent nothing for ${STALL / 1000} seconds.`
      : `The photo could not be fetched: ${place} is out of reach${permissions}.`;
    throw new Error(message, { cause });
  } finally {
    // What is refused is not fetched to its end.
    controller.abort();
  }
}

// What is wrong with a photo, in a sentence.
class Refusal extends Error {}

async function body(response, inTime) {
  const type = response.headers.get("content-type") ?? "";
  const refuseIf = (bytes) => {
    if (bytes > MOST_BYTES) throw new Refusal(TOO_LONG);
  };
  refuseIf(Number(response.headers.get("content-length")));
  const parts = [];
  const reader = response.body?.getReader();
  for (let bytes = 0; reader; ) {
    const { done, value } = await inTime(reader.read());
    if (done) break;
    bytes += value.length;
    refuseIf(bytes);
    parts.push(value);
  }
  return new Blob(parts, { type });
}
