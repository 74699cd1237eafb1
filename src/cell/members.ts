import { ContinuousTimeCell } from './continuous-time.js';
import { EchoStateCell } from './echo-state.js';
import { ElmanCell } from './elman.js';
import { FullyRecurrentCell } from './fully-recurrent.js';
import { GruCell } from './gru.js';
import { HierarchicalCell } from './hierarchical.js';
import { HopfieldCell } from './hopfield.js';
import { JordanCell } from './jordan.js';
import { LstmCell } from './lstm.js';
import { RecurrentMlpCell } from './recurrent-mlp.js';
import { SecondOrderCell } from './second-order.js';
import { SequentialCascadedCell } from './sequential-cascaded.js';

/** The recurrent family, in the order of the configuration page. A new member is one file and one line here. */
export const MEMBERS = {
  elman: ElmanCell,
  jordan: JordanCell,
  'fully-recurrent': FullyRecurrentCell,
  lstm: LstmCell,
  gru: GruCell,
  'echo-state': EchoStateCell,
  'continuous-time': ContinuousTimeCell,
  hierarchical: HierarchicalCell,
  'recurrent-mlp': RecurrentMlpCell,
  'second-order': SecondOrderCell,
  'sequential-cascaded': SequentialCascadedCell,
  hopfield: HopfieldCell,
};
