/** `@neumann/nn/models`: networks of papers, exact to the last parameter. */
export { type CifarResnetOptions, cifarResnet } from './models/cifarResnet.ts';
export { type GptOptions, type GptParams, gpt } from './models/gpt.ts';
export { inceptionResnetV2 } from './models/inceptionResnetV2.ts';
export {
  type InceptionOptions,
  inceptionV3,
  inceptionV3WithAuxiliary,
  type WithAuxiliary,
} from './models/inceptionV3.ts';
export {
  type ImageModelOptions,
  type Model,
  type ResnetOptions,
  type ResnetVersion,
  resnet,
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  resnet152,
} from './models/resnet.ts';
export { type Seq2seqOptions, type Seq2seqParams, seq2seq, type Translation } from './models/seq2seq.ts';
export { lenet, mlp, smallCnn } from './models/small.ts';
export { fromTorch, type Renaming, resnetNames, torchName } from './torch.ts';
