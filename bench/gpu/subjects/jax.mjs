/** jax-js on one of its backends. */
import * as jax from '@jax-js/jax';
import { workloads } from '../../programs/jax.mjs';

export async function subject(mode) {
  const devices = await jax.init(mode);
  if (!devices.includes(mode)) throw new Error(`it has no ${mode} here`);
  jax.defaultDevice(mode);
  const some = jax.numpy.array(new Float32Array(1024)); // fewer could be computed without the device
  // To hand out a buffer, it starts the work and does not wait for it.
  const run = (x) => x.gpuBuffer();
  const finish = () => some.ref.add(some.ref).data();
  return { workloads: workloads(jax, run), finish };
}
