// The parts of decoding as operations of TensorFlow.
#include "step-operations.h"

#include <algorithm>
#include <vector>

#include "call.h"
#include "choice.h"

namespace dragoman {

namespace {

/** The inputs of a decoder step, in their order. */
class StepInputs {
 public:
  explicit StepInputs(Call& call) : call_(call) {}

  const float* floats(std::initializer_list<long> shape) { return call_.input(next_++, shape); }
  long size(int axis, int rank) { return call_.size(next_, axis, rank); }

  /** Packed weights and a bias. @param columns of a group */
  Affine affine(long depth, long groups, long columns) {
    const float* const panels = floats({chosen().steps->packedSize(depth, groups, columns)});
    return {panels, floats({groups * columns})};
  }

  /** The length of the bias of the weights that come next. */
  long width() { return call_.size(next_ + 1, 0, 1); }

 private:
  Call& call_;
  int next_ = 3;
};

/** What a decoder is made of, from the operation's third input: its scoring, two choices, and whether each layer is a GRU. */
struct StepForm {
  explicit StepForm(Call& call) {
    const long size = call.size(2, 0, 1);
    if (size < 4) call.fail("a decoder step has no layer");
    const int32_t* const numbers = call.input<int32_t>(2, {size});
    if (!call.fine()) return;
    scoring = static_cast<Scoring>(numbers[0]);
    everyStep = numbers[1] != 0;
    inputFeeding = numbers[2] != 0;
    isGru.assign(numbers + 3, numbers + size);
    for (const bool gru : isGru) {
      states += gru ? 1 : 2;
      weights += gru ? 4 : 2;
    }
    states += inputFeeding;
    sources = everyStep + (scoring == Scoring::none ? 0 : 3);
    weights += 1 + (scoring == Scoring::additive ? 3 : 0) + 4;
    if (call.inputs() != 3 + states + sources + weights) call.fail("a decoder step has another number of inputs");
  }

  Scoring scoring = Scoring::none;
  bool everyStep = false;
  bool inputFeeding = false;
  std::vector<bool> isGru;
  int states = 0;
  int sources = 0;
  int weights = 0;
};

/** Numbers from 0 up to a limit, one a row. */
const int32_t* places(Call& call, int input, long rows, long limit, const char* problem) {
  const int32_t* const numbers = call.input<int32_t>(input, {rows});
  if (call.fine() && !std::all_of(numbers, numbers + rows, [=](int32_t number) { return number >= 0 && number < limit; }))
    call.fail(problem);
  return numbers;
}

void readStates(Call& call, const StepForm& form, long before, StepInputs& inputs, DecoderStep& run) {
  int output = 0;
  for (const bool gru : form.isGru) {
    StepLayer layer{};
    layer.isGru = gru;
    layer.hidden = inputs.size(1, 2);
    layer.h = inputs.floats({before, layer.hidden});
    layer.hAfter = call.output(output++, {run.rows, layer.hidden});
    if (!gru) {
      layer.c = inputs.floats({before, layer.hidden});
      layer.cAfter = call.output(output++, {run.rows, layer.hidden});
    }
    run.layers.push_back(layer);
  }
  if (!form.inputFeeding) return;
  run.output = inputs.size(1, 2);
  run.fed = inputs.floats({before, run.output});
  run.fedAfter = call.output(output, {run.rows, run.output});
}

void readSource(Call& call, const StepForm& form, StepInputs& inputs, DecoderStep& run) {
  if (form.everyStep) {
    run.summarySize = inputs.size(1, 2);
    run.summary = inputs.floats({run.rows, run.summarySize});
  }
  StepAttention& attention = run.attention;
  attention.scoring = form.scoring;
  if (form.scoring == Scoring::none) {
    call.output(form.states + 1, {0});
    return;
  }
  attention.batch = inputs.size(0, 3);
  attention.length = inputs.size(1, 3);
  attention.query = inputs.size(2, 3);
  attention.width = attention.batch > 0 ? run.rows / attention.batch : 0;
  if (attention.width * attention.batch != run.rows) call.fail("the rows are not equally many for each source");
  attention.keys = inputs.floats({attention.batch, attention.length, attention.query});
  attention.memorySize = inputs.size(2, 3);
  attention.memory = inputs.floats({attention.batch, attention.length, attention.memorySize});
  attention.bias = inputs.floats({attention.batch, 1, attention.length});
  attention.weights = call.output(form.states + 1, {run.rows, attention.length});
}

void readWeights(Call& call, const StepForm& form, StepInputs& inputs, DecoderStep& run) {
  const long entries = inputs.size(0, 2);
  run.embedding = inputs.size(1, 2);
  run.table = inputs.floats({entries, run.embedding});
  run.previous = places(call, 0, run.rows, entries, "a token is none of the table's");
  long input = run.embedding + run.summarySize + (form.inputFeeding ? run.output : 0);
  for (StepLayer& layer : run.layers) {
    layer.gates = inputs.affine(input + layer.hidden, layer.isGru ? 2 : 4, layer.hidden);
    if (layer.isGru) layer.candidate = inputs.affine(input + layer.hidden, 1, layer.hidden);
    input = layer.hidden;
  }
  StepAttention& attention = run.attention;
  if (form.scoring == Scoring::product && attention.query != input) call.fail("keys and states differ in size");
  if (form.scoring == Scoring::additive) {
    attention.projection = inputs.affine(input, 1, attention.query);
    attention.vector = inputs.floats({attention.query});
  }
  const long output = inputs.width();
  if (form.inputFeeding && output != run.output) call.fail("what is fed back differs in size from the output");
  run.output = output;
  const long others = form.scoring == Scoring::none ? run.embedding + run.summarySize : attention.memorySize;
  run.readout = inputs.affine(input + others, 1, output);
  run.vocabulary = inputs.width();
  run.logitsWeights = inputs.affine(output, 1, run.vocabulary);
  run.logits = call.output(form.states, {run.rows, run.vocabulary});
}

}  // namespace

void packOperation(void*, TF_OpKernelContext* context) {
  Call call(context);
  const long groups = call.number(1);
  const long depth = call.size(0, 0, 2);
  const long columns = groups > 0 ? call.size(0, 1, 2) / groups : 0;
  Packing run{depth, groups, columns, call.input(0, {depth, groups * columns}), nullptr};
  if (!call.fine()) return;
  run.panels = call.output(0, {chosen().steps->packedSize(depth, groups, columns)});
  if (call.fine()) chosen().steps->packPanels(run);
}

void linearOperation(void*, TF_OpKernelContext* context) {
  Call call(context);
  LinearStep run{};
  run.rows = call.size(0, 0, 2);
  run.depth = call.size(0, 1, 2);
  run.columns = call.size(2, 0, 1);
  run.tanh = call.number(3) != 0;
  run.x = call.input(0, {run.rows, run.depth});
  run.weights = {call.input(1, {chosen().steps->packedSize(run.depth, 1, run.columns)}), call.input(2, {run.columns})};
  run.y = call.output(0, {run.rows, run.columns});
  if (call.fine()) chosen().steps->linearStep(run);
}

void decoderStepOperation(void*, TF_OpKernelContext* context) {
  Call call(context);
  const StepForm form(call);
  DecoderStep run{};
  run.rows = call.size(0, 0, 1);
  if (!call.fine()) return;
  StepInputs inputs(call);
  const long before = inputs.size(0, 2);
  run.parents = call.isEmpty(1) ? nullptr : places(call, 1, run.rows, before, "a row continues none of the state's");
  if (run.parents == nullptr && before != run.rows) call.fail("the state has another number of rows");
  readStates(call, form, before, inputs, run);
  readSource(call, form, inputs, run);
  readWeights(call, form, inputs, run);
  if (call.fine()) chosen().steps->decoderStep(run);
}

void bestOperation(void*, TF_OpKernelContext* context) {
  Call call(context);
  BestStep run{};
  run.rows = call.size(0, 0, 2);
  run.columns = call.size(0, 1, 2);
  run.k = std::min<long>(call.number(1), run.columns);
  run.logits = call.input(0, {run.rows, run.columns});
  run.ids = call.output<int32_t>(0, {run.rows, run.k});
  run.values = call.output(1, {run.rows, run.k});
  run.normalisers = call.output(2, {run.rows});
  if (call.fine() && run.k > 0) chosen().kernels->bestStep(run);
}

}  // namespace dragoman
