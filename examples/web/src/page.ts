/** The page: options, curves, and a drawing that is recognised. */
import { makeCurve } from './curves.ts';
import { type Answer, type BackendName, backendNames, type Request } from './messages.ts';
import { makePad } from './pad.ts';

const optimizerNames = ['neumann', 'sgd', 'adam', 'rmsprop'] as const;
const backendLabels: Readonly<Record<BackendName, string>> = {
  cpu: 'CPU (WebAssembly)',
  webgpu: 'WebGPU, experimental',
  webgl2: 'WebGL 2, experimental',
};

function element<T extends Element>(selector: string): T {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

const form = element<HTMLFormElement>('#options');
const [start, stop] = [element<HTMLButtonElement>('#start'), element<HTMLButtonElement>('#stop')];
const [status, answer, bars] = [element('#status'), element('#answer'), element('#bars')];
const loss = makeCurve(element('#loss'), 'Loss');
const accuracy = makeCurve(element('#accuracy'), 'Accuracy');

function fill(name: string, entries: readonly (readonly [value: string, label: string])[]): void {
  element<HTMLSelectElement>(`[name=${name}]`).append(
    ...entries.map(([value, label]) => new Option(label, value)),
  );
}
fill(
  'optimizer',
  optimizerNames.map((name) => [name, name]),
);
fill(
  'backend',
  backendNames.map((name) => [name, backendLabels[name]]),
);

const worker = new Worker(new URL('./trainer.ts', import.meta.url), { type: 'module' });
const ask = (request: Request): void => worker.postMessage(request);
let total = 0;
let description = '';
let hasLearned = false;

const pad = makePad(element<HTMLCanvasElement>('#pad'), () => {
  const pixels = pad.pixels();
  if (pixels && hasLearned) ask({ kind: 'recognise', pixels });
});
element('#clear').addEventListener('click', () => {
  pad.clear();
  showProbabilities(nothing);
  answer.textContent = hasLearned ? 'Draw a digit.' : 'Train first, then draw.';
});

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const values = new FormData(form);
  const text = (name: string): string => {
    const value = values.get(name);
    return typeof value === 'string' ? value : '';
  };
  loss.reset();
  accuracy.reset();
  setRunning(true);
  status.textContent = 'Loading the digits and compiling …';
  const options = {
    optimizer: text('optimizer'),
    backend: text('backend'),
    batch: Number(text('batch')),
    epochs: Number(text('epochs')),
  };
  ask({ kind: 'train', options: options as never });
});
stop.addEventListener('click', () => ask({ kind: 'stop' }));

function setRunning(isRunning: boolean): void {
  start.disabled = isRunning;
  stop.disabled = !isRunning;
}

const nothing: readonly number[] = new Array<number>(10).fill(0);
const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;

worker.onmessage = ({ data: message }: MessageEvent<Answer>) => {
  switch (message.kind) {
    case 'started':
      [total, description] = [message.steps, message.description];
      status.textContent = `${description}: first step …`;
      break;
    case 'step':
      loss.training(message.step, message.loss);
      accuracy.training(message.step, message.accuracy);
      status.textContent = `${description}: step ${message.step} of ${total}, loss ${message.loss.toFixed(4)}, ${Math.round(message.imagesPerSecond)} images/s`;
      break;
    case 'epoch':
      hasLearned = true;
      loss.validation(message.step, message.loss);
      accuracy.validation(message.step, message.accuracy);
      break;
    case 'finished':
      setRunning(false);
      status.textContent = `${description}: ${message.stopped ? 'stopped' : 'done'}, test accuracy ${percent(message.accuracy)}.`;
      answer.textContent = 'Draw a digit.';
      break;
    case 'recognised':
      showProbabilities(message.probabilities);
      break;
    case 'failed':
      setRunning(false);
      status.textContent = `That did not work: ${message.message}`;
      break;
    default:
      message satisfies never;
  }
};
worker.onerror = ({ message }) => {
  setRunning(false);
  status.textContent = `The worker failed: ${message}`;
};

function showProbabilities(probabilities: readonly number[]): void {
  const best = probabilities.indexOf(Math.max(...probabilities));
  const isSure = (probabilities[best] ?? 0) > 0;
  bars.replaceChildren(
    ...probabilities.map((p, digit) => {
      const row = document.createElement('li');
      row.className = digit === best && isSure ? 'best' : '';
      const bar = document.createElement('i');
      bar.style.width = percent(p);
      row.append(String(digit), bar, percent(p));
      return row;
    }),
  );
  if (isSure) answer.textContent = `This is a ${best}.`;
}
showProbabilities(nothing);
