// live.js: who computes, and how a question reaches them. Nothing else in the course knows.
//
// Where a kernel answers our ping, it computes (live.py). On a page of the book, which declares
// itself as globalThis.VEC2GPT_PAGE, the exported model runs here in ONNX Runtime Web, fetched at
// the first question and kept in the browser's cache for every later page.
//
// A tensor here is {dims, data}: data a flat array or typed array, row by row.

const ARRAYS = { float32: Float32Array, int32: Int32Array, int64: BigInt64Array };
const PATIENCE = 3000;                                                     // ms until we say that the kernel is busy
const CACHE = "vec2gpt", KEPT = 40;                                        // files: the runtime, and models of a few MB

/** The typed array that `dtype` is sent in. */
export const pack = (dtype, data) =>
  data instanceof ARRAYS[dtype] ? data : ARRAYS[dtype].from(data, dtype === "int64" ? BigInt : Number);

/** Whole numbers come back as 64 bit integers, which JavaScript does not mix with numbers. */
export const unpack = (dims, data) =>
  ({ dims: [...dims], data: data instanceof BigInt64Array ? Int32Array.from(data, Number) : data });

const open = () => globalThis.caches?.open(CACHE).catch(() => null);      // private windows have none

/** The bytes at `url`, from the browser's cache if they are there; `progress(megabytes)` while they load. */
async function download(url, progress) {
  const store = await open(), kept = await store?.match(url).catch(() => null);
  if (kept) return new Uint8Array(await kept.arrayBuffer());
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${new URL(url).pathname.split("/").pop()} is missing (${response.status})`);
  const chunks = [];
  let size = 0;
  for (let reader = response.body.getReader(), part; !(part = await reader.read()).done;) {
    chunks.push(part.value);
    progress((size += part.value.length) / 1e6);
  }
  const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
  await keep(store, url, bytes).catch(() => {});                          // a full disk costs only the next download
  return bytes;
}

/** Put a file into the cache; the oldest of more than KEPT give way. */
async function keep(store, url, bytes) {
  await store?.put(url, new Response(bytes));
  const files = (await store?.keys()) ?? [];
  for (const old of files.slice(0, Math.max(0, files.length - KEPT))) await store.delete(old);
}

/** A file that turned out to be no good must not stay: the next try fetches it again. */
const forget = async (url) => (await open())?.delete(url);

/** ONNX Runtime Web, one for all widgets of a page. */
function runtime(page, progress) {
  const wasm = page.ort + "ort-wasm-simd-threaded.wasm";
  page.runtime ??= (async () => {
    const ort = await import(page.ort + "ort.wasm.min.mjs");
    ort.env.wasm.numThreads = 1;                                          // more would need special headers
    ort.env.wasm.wasmPaths = page.ort;
    ort.env.wasm.wasmBinary = await download(wasm, progress);
    return ort;
  })().catch((error) => { page.runtime = null; throw error; });
  return page.runtime;
}

/** Computes in the page: question → answer, one at a time (a session cannot run twice at once). */
function inPage(page, spec, status) {
  const sessions = new Map();
  const start = async (name) => {
    const progress = (mb) => status({ loading: mb }), url = page.models + spec.models[name];
    const ort = await runtime(page, progress), bytes = await download(url, progress);
    try {
      return [ort, await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] })];
    } catch (error) {
      await forget(url);
      throw error;
    }
  };
  let queue = Promise.resolve();
  return (name, inputs) => (queue = queue.catch(() => {}).then(async () => {
    if (!sessions.has(name)) sessions.set(name, await start(name));
    const [ort, session] = sessions.get(name), feeds = {};
    for (const [key, dtype] of Object.entries(spec.inputs))
      feeds[key] = new ort.Tensor(dtype, pack(dtype, inputs[key].data), inputs[key].dims);
    const answer = await session.run(feeds);
    return Object.fromEntries(spec.outputs.map((key) => [key, unpack(answer[key].dims, answer[key].data)]));
  }));
}

/** Computes in the kernel: questions are numbered, so that equal answers are still answers. */
function inKernel(model, spec, status) {
  const waiting = new Map();
  let n = 0;
  const heard = (message, buffers) => {
    const asker = waiting.get(message.n);
    if (!asker) return;
    waiting.delete(message.n);
    clearTimeout(asker.patience);
    status({ who: "kernel" });
    if (message.type === "error") return asker.reject(new Error(message.message));
    const names = Object.entries(message.outputs);
    asker.resolve(Object.fromEntries(names.map(([key, { dtype, dims }], k) => {
      const { buffer, byteOffset, byteLength } = buffers[k];
      return [key, { dims, data: new ARRAYS[dtype](buffer.slice(byteOffset, byteOffset + byteLength)) }];
    })));
  };
  model.on("msg:custom", heard);
  const ask = (name, inputs) => new Promise((resolve, reject) => {
    waiting.set(++n, { resolve, reject, patience: setTimeout(() => status({ who: "busy" }), PATIENCE) });
    const names = Object.entries(spec.inputs);
    const shapes = Object.fromEntries(names.map(([key]) => [key, inputs[key].dims]));
    const buffers = names.map(([key, dtype]) => pack(dtype, inputs[key].data).buffer);
    model.send({ type: "ask", n, model: name, shapes }, undefined, buffers);
  });
  return { ask, close: () => model.off("msg:custom", heard) };
}

/**
 * The one who computes for `model`. `status({who, loading})` hears who that is ("page", "kernel", "busy" where a
 * kernel keeps us waiting, or "nobody" yet) and, while files load, how many megabytes have come.
 */
export function live(model, status) {
  const spec = model.get("spec"), page = globalThis.VEC2GPT_PAGE;
  if (page || spec.order?.length === 0) {                                 // without a model the view asks nobody
    status({ who: "page" });
    return { ask: inPage(page, spec, status), close() {} };
  }
  const kernel = inKernel(model, spec, status);
  const pong = (message) => message.type === "pong" && status({ who: "kernel" });
  model.on("msg:custom", pong);
  status({ who: "nobody" });
  model.send({ type: "ping" });
  return { ask: kernel.ask, close() { kernel.close(); model.off("msg:custom", pong); } };
}

/**
 * `work` made to run one at a time, of the questions that wait only the newest: a drag asks hundreds
 * of times. `work(isStale)` may look whether a newer question waits and stop early.
 */
export function latest(work) {
  let running = false, again = false;
  return async function run() {
    if (running) { again = true; return; }
    running = true;
    try {
      do { again = false; await work(() => again); } while (again);
    } finally { running = false; }
  };
}
