/** TensorFlow.js on one of its backends. */
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-webgpu';
import { workloads } from '../../programs/tfjs.mjs';

export async function subject(mode) {
  if (!(await tf.setBackend(mode))) throw new Error(`it has no ${mode} here`);
  await tf.ready();
  if (mode === 'webgl' && !tf.env().getBool('WEBGL_RENDER_FLOAT32_ENABLED'))
    throw new Error('not in float32');
  const some = tf.ones([4096]); // of fewer, the sum is computed without the device
  const finish = async () => {
    const result = tf.add(some, some);
    await result.data();
    result.dispose();
  };
  return { workloads: workloads(tf), finish };
}
