// The element's style: a sheet made by script, which a content security policy of `style-src 'self'` lets pass.
// Colours follow the colour scheme that the page declares for itself (`color-scheme`).

const STYLE = `
:host {
  --_paper: var(--photo-classifier-paper, #fffcf6);
  --_ink: var(--photo-classifier-ink, #221d16);
  --_soft: var(--photo-classifier-soft, #665e52);
  --_line: var(--photo-classifier-line, #c9bda8);
  --_accent: var(--photo-classifier-accent, #0b6558);
  --_on-accent: var(--photo-classifier-on-accent, #ffffff);
  --_bar: var(--photo-classifier-bar, #e9e1d2);
  --_bar-first: var(--photo-classifier-bar-first, #bfe3da);
  --_alert: var(--photo-classifier-alert, #9a3412);
  --_radius: var(--photo-classifier-radius, 1rem);
  display: block;
  max-width: 30rem;
  color: var(--_ink);
  font: 1rem/1.45 var(--photo-classifier-font, ui-sans-serif, system-ui, sans-serif);
}
@supports (color: light-dark(red, red)) {
  :host {
    --_paper: var(--photo-classifier-paper, light-dark(#fffcf6, #1f1b16));
    --_ink: var(--photo-classifier-ink, light-dark(#221d16, #f1eadf));
    --_soft: var(--photo-classifier-soft, light-dark(#665e52, #aea492));
    --_line: var(--photo-classifier-line, light-dark(#c9bda8, #574c3d));
    --_accent: var(--photo-classifier-accent, light-dark(#0b6558, #62c9b3));
    --_on-accent: var(--photo-classifier-on-accent, light-dark(#ffffff, #06231d));
    --_bar: var(--photo-classifier-bar, light-dark(#ece5d8, #332d24));
    --_bar-first: var(--photo-classifier-bar-first, light-dark(#bfe3da, #14564a));
    --_alert: var(--photo-classifier-alert, light-dark(#9a3412, #f2a07b));
  }
}
:host([hidden]), [hidden] { display: none !important; }
*, ::before, ::after { box-sizing: border-box; }
p, ol { margin: 0; padding: 0; }
ol { list-style: none; }

.zone {
  overflow: hidden;
  border: 1.5px dashed var(--_line);
  border-radius: var(--_radius);
  background: var(--_paper);
}
.zone.filled { border-style: solid; }
.zone.over { border-color: var(--_accent); outline: 3px solid var(--_accent); outline-offset: -1.5px; }

.photo {
  display: block;
  width: 100%;
  max-height: 24rem;
  object-fit: contain;
  background: color-mix(in srgb, var(--_line) 30%, var(--_paper));
}

.results { display: grid; gap: 0.3rem; padding: 0.9rem 0.9rem 0; }
.result {
  position: relative;
  display: flex;
  justify-content: space-between;
  gap: 1rem;
  padding: 0.3rem 0.7rem;
  border-radius: 0.5rem;
  overflow: hidden;
}
.result > span { position: relative; min-width: 0; overflow-wrap: anywhere; }
.result .score { flex: none; font-variant-numeric: tabular-nums; }
.result:first-child { padding-block: 0.5rem; font-size: 1.1rem; font-weight: 600; }
.bar { position: absolute; inset: 0; width: 100%; height: 100%; }
.bar rect { fill: var(--_bar); }
.result:first-child .bar rect { fill: var(--_bar-first); }

.none { padding: 0.9rem 0.9rem 0; font-size: 1.1rem; font-weight: 600; text-wrap: balance; }
.dimmed { opacity: 0.85; }
.dimmed .result:first-child { padding-block: 0.3rem; font-size: inherit; font-weight: inherit; }
.dimmed .result:first-child .bar rect { fill: var(--_bar); }

.controls {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  justify-content: space-between;
  gap: 0.6rem 1rem;
  padding: 0.9rem;
}
.zone:not(.filled) .controls {
  flex-direction: column;
  justify-content: center;
  min-height: 13rem;
  text-align: center;
}
.hint { color: var(--_soft); }
.filled .hint { display: none; }

.picker { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.button {
  display: inline-flex;
  align-items: center;
  min-height: 2.75rem;
  padding: 0.4rem 1.3rem;
  border: 1px solid transparent;
  border-radius: 0.75rem;
  background: var(--_accent);
  color: var(--_on-accent);
  font-weight: 600;
  cursor: pointer;
}
.button:hover { filter: brightness(1.1); }
.filled .button { border-color: var(--_line); background: none; color: inherit; }
.filled .button:hover { border-color: var(--_accent); }
.picker:focus-visible + .button { outline: 3px solid var(--_accent); outline-offset: 3px; }

.live { min-width: 0; flex: 1 1 10rem; }
.zone:not(.filled) .live { flex: none; }
.status { color: var(--_soft); font-size: 0.92rem; overflow-wrap: anywhere; }
.status.failed { color: var(--_alert); }
.progress { width: 100%; height: 6px; overflow: hidden; border-radius: 3px; background: var(--_bar); }
.progress svg { display: block; width: 100%; height: 100%; }
.progress rect { fill: var(--_accent); }
`;

export const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLE);
