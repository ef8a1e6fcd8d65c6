import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

/** A live chart: points of training as they come, and of validation after each epoch. */
export interface LiveCurve {
  reset(): void;
  training(step: number, value: number): void;
  validation(step: number, value: number): void;
}

const colors = { training: '#e69f00', validation: '#0072b2' };

export function makeCurve(parent: HTMLElement, title: string): LiveCurve {
  const ink = getComputedStyle(document.body).color;
  const axis = { stroke: ink, grid: { stroke: '#8884', width: 1 }, ticks: { stroke: '#8884' } };
  const width = () => Math.max(260, parent.clientWidth);
  let data: [number[], (number | null)[], (number | null)[]] = [[], [], []];
  const chart = new uPlot(
    {
      title,
      width: width(),
      height: 230,
      scales: { x: { time: false } },
      axes: [{ ...axis, label: 'step' }, axis],
      series: [
        { label: 'step' },
        { label: 'training', stroke: colors.training, width: 1, spanGaps: true },
        {
          label: 'validation',
          stroke: colors.validation,
          width: 2,
          spanGaps: true,
          points: { show: true, size: 7 },
        },
      ],
    },
    data,
    parent,
  );
  addEventListener('resize', () => chart.setSize({ width: width(), height: 230 }));
  let drawn = 0;
  const draw = () => {
    if (performance.now() - drawn < 100) return;
    drawn = performance.now();
    chart.setData(data);
  };
  const at = (step: number): number => {
    const [steps, training, validation] = data;
    if (steps.at(-1) !== step) {
      steps.push(step);
      training.push(null);
      validation.push(null);
    }
    return steps.length - 1;
  };
  /** Single batches are noisy: a mean that forgets over some 20 steps. */
  let smooth: number | undefined;
  return {
    reset() {
      data = [[], [], []];
      smooth = undefined;
      chart.setData(data);
    },
    training(step, value) {
      smooth = smooth === undefined ? value : 0.95 * smooth + 0.05 * value;
      data[1][at(step)] = smooth;
      draw();
    },
    validation(step, value) {
      data[2][at(step)] = value;
      drawn = 0;
      draw();
    },
  };
}
