import { Deadlines } from '../engine/limits/deadlines';
import { interrupt } from '../engine/serve/interrupt.node';

/** The command line keeps a model's files within the same time as the engine does. */
export const deadlines = new Deadlines({ interrupt });
