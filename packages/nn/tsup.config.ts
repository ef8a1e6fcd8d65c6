import { library } from '../../tools/tsup.ts';

export default library('index', 'data', 'node');
