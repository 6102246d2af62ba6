import { pipeline } from "./index.js";

const answer = document.querySelector("#answer");
let classifier;

function say(text) {
  answer.hidden = false;
  answer.textContent = text;
}

document.querySelector("#ask").addEventListener("click", async () => {
  try {
    classifier ??= pipeline("image-classification", null, {
      progress_callback({ status, progress }) {
        if (status === "progress") say(`Loading the model: ${progress.toFixed(0)} %`);
      },
    });
    const classify = await classifier;
    say("Looking…");
    say(JSON.stringify(await classify(document.querySelector("#coffee"), { top_k: 3 }), null, 2));
  } catch (error) {
    classifier = undefined;
    say(error.message);
  }
});
