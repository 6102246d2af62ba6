// The sentences of <photo-classifier>, in each language.

const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

const ENGLISH = {
  tag: "en",
  name: "Photo classifier",
  hint: "Drop or paste a photo here",
  choose: "Choose a photo",
  another: "Another photo",
  loading: "Loading the model",
  starting: "Starting…",
  progress: (loaded, total) => `${megabytes(loaded)} of ${megabytes(total)} MB`,
  looking: "Looking…",
  results: "What the network sees",
  noneOf: (classes) => `None of the ${classes.toLocaleString("en")} things it knows, most likely`,
  resultsIfNone: "The likeliest of the things it knows",
  photo: (name) => (name ? `The photo ${name}` : "The photo"),
  nothing: "There is no photo in what was dropped. Save the picture first, then drop the file.",
};

const CHINESE = {
  tag: "zh",
  name: "照片分类器",
  hint: "把照片拖放或粘贴到这里",
  choose: "选择照片",
  another: "换一张照片",
  loading: "正在加载模型",
  starting: "正在启动……",
  progress: (loaded, total) => `${megabytes(loaded)} / ${megabytes(total)} MB`,
  looking: "正在查看……",
  results: "网络看到了什么",
  noneOf: (classes) => `很可能不是它认识的 ${classes.toLocaleString("zh")} 种事物中的任何一种`,
  resultsIfNone: "它认识的事物中最接近的",
  photo: (name) => (name ? `照片 ${name}` : "照片"),
  nothing: "拖放的内容里没有照片。请先保存图片，再拖放文件。",
};

// The sentences for a BCP 47 tag.
export const translation = (tag) => (/^zh\b/i.test(tag ?? "") ? CHINESE : ENGLISH);
