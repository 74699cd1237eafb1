// What Node loads: the operations for TensorFlow, and the kernels of decoding as functions on typed arrays, which take no
// time for TensorFlow's handles.
#include <algorithm>

#include "arguments.h"
#include "choice.h"
#include "operations.h"
#include "team.h"

namespace dragoman {
namespace {

/**
 * start(threads, products, most): what the kernels that are used were compiled for; null where there are none for the products
 * that are wanted. The last is the highest Level.
 */
napi_value start(napi_env env, napi_callback_info info) {
  Arguments given(env, info, 3);
  const int64_t threads = given.number();
  const std::string products = given.text();
  const int64_t most = given.number();
  if (!given.fine()) return nullptr;
  setThreads(static_cast<int>(std::max<int64_t>(1, threads)));
  napi_value processor;
  if (choose(products, static_cast<int>(most)))
    napi_create_string_utf8(env, chosen().processor.c_str(), NAPI_AUTO_LENGTH, &processor);
  else
    napi_get_null(env, &processor);
  return processor;
}

/** Packed matrices stand at whole lines of the cache, for which they have some room. */
constexpr long LINE = 64 / sizeof(float);

template <typename Float>
Float* aligned(Float* panels) {
  const auto place = reinterpret_cast<uintptr_t>(panels) / sizeof(float) % LINE;
  return panels == nullptr || place == 0 ? panels : panels + (LINE - place);
}

long roomFor(long depth, long groups, long columns) {
  return chosen().steps->packedSize(depth, groups, columns) + LINE;
}

/** packedSize(depth, groups, columns): numbers that a packed matrix takes. */
napi_value packedSize(napi_env env, napi_callback_info info) {
  Arguments given(env, info, 3);
  const int64_t depth = given.number();
  const int64_t groups = given.number();
  const int64_t columns = given.number();
  napi_value size = nullptr;
  if (given.fine()) napi_create_int64(env, roomFor(depth, groups, columns), &size);
  return size;
}

/** pack(depth, groups, columns, from, stride, transposed, matrix, panels): groups of columns from column `from` on. */
napi_value pack(napi_env env, napi_callback_info info) {
  Arguments given(env, info, 8);
  Packing run{};
  run.depth = given.number();
  run.groups = given.number();
  run.columns = given.number();
  const int64_t from = given.number();
  run.stride = given.number();
  run.transposed = given.boolean();
  const long width = run.groups * run.columns;
  if (from + (run.transposed ? run.depth : width) > run.stride) given.fail("a stride of all columns");
  run.matrix = given.floats((run.transposed ? width : run.depth) * run.stride);
  run.panels = given.written(roomFor(run.depth, run.groups, run.columns));
  if (!given.fine()) return nullptr;
  run.matrix += from;
  run.panels = aligned(run.panels);
  chosen().steps->packPanels(run);
  return nullptr;
}

/** Packed weights and a bias. */
Affine affine(Arguments& given, long depth, long groups, long columns) {
  const float* const panels = aligned(given.floats(roomFor(depth, groups, columns)));
  return {panels, given.floats(groups * columns)};
}

/** A layer's, and of a GRU those of its candidate behind them. */
CellWeights cellWeights(Arguments& given, bool isGru, long input, long hidden) {
  CellWeights weights{};
  weights.gates = affine(given, input + hidden, isGru ? 2 : 4, hidden);
  if (isGru) weights.candidate = affine(given, input + hidden, 1, hidden);
  return weights;
}

/** join(rows, values, sizes, places, joined): of each matrix the rows at those places, of which there are none where it is whole. */
napi_value join(napi_env env, napi_callback_info info) {
  Arguments given(env, info, 5);
  Joining run{};
  run.rows = given.number();
  Arguments values = given.list();
  Arguments sizes = given.list();
  Arguments places = given.list();
  long width = 0;
  while (values.left() > 0 && given.fine() && values.fine() && sizes.fine() && places.fine()) {
    Columns part{};
    part.width = sizes.number();
    const long rows = part.width == 0 ? 0 : values.length() / part.width;
    part.from = values.floats(rows * part.width);
    if (places.length() > 0) {
      part.rows = places.places(run.rows, rows);
    } else {
      places.integers(0);
      if (rows < run.rows) values.fail("a matrix of all rows");
    }
    width += part.width;
    run.parts.push_back(part);
  }
  run.joined = given.written(run.rows * width);
  if (given.fine() && values.fine() && sizes.fine() && places.fine()) chosen().steps->joinRows(run);
  return nullptr;
}

/** linear(rows, depth, columns, tanh, x, panels, bias, y) */
napi_value linear(napi_env env, napi_callback_info info) {
  Arguments given(env, info, 8);
  LinearStep run{};
  run.rows = given.number();
  run.depth = given.number();
  run.columns = given.number();
  run.tanh = given.boolean();
  run.x = given.floats(run.rows * run.depth);
  run.weights = affine(given, run.depth, 1, run.columns);
  run.y = given.written(run.rows * run.columns);
  if (given.fine()) chosen().steps->linearStep(run);
  return nullptr;
}

/** best(rows, columns, k, logits, ids, values, normalisers): ids and values `[rows, k]`, k from 1 to the columns. */
napi_value best(napi_env env, napi_callback_info info) {
  Arguments given(env, info, 7);
  BestStep run{};
  run.rows = given.number();
  run.columns = given.number();
  run.k = given.number();
  if (run.k < 1 || run.k > run.columns) given.fail("a number from 1 to the columns");
  run.logits = given.floats(run.rows * run.columns);
  run.ids = given.writtenIntegers(run.rows * run.k);
  run.values = given.written(run.rows * run.k);
  run.normalisers = given.written(run.rows);
  if (given.fine()) chosen().kernels->bestStep(run);
  return nullptr;
}

/**
 * encoderLayer(isGru, backward, batch, time, input, hidden, stride, from, lengths, x, initial, weights, outputs, last): the
 * outputs' columns from `from` on are written; the initial states are a list, empty for zeros.
 */
napi_value encoderLayer(napi_env env, napi_callback_info info) {
  Arguments given(env, info, 14);
  EncoderLayer run{};
  run.isGru = given.boolean();
  run.backward = given.boolean();
  run.batch = given.number();
  run.time = given.number();
  run.input = given.number();
  run.hidden = given.number();
  run.stride = given.number();
  const int64_t from = given.number();
  if (from + run.hidden > run.stride) given.fail("a stride of all columns");
  run.lengths = given.places(run.batch, run.time + 1);
  run.x = given.floats(run.batch * run.time * run.input);
  Arguments initial = given.list();
  if (initial.left() > 0) run.h0 = initial.floats(run.batch * run.hidden);
  if (initial.left() > 0) run.c0 = initial.floats(run.batch * run.hidden);
  Arguments weights = given.list();
  run.weights = cellWeights(weights, run.isGru, run.input, run.hidden);
  run.outputs = given.written(run.batch * run.time * run.stride);
  run.last = given.written(run.batch * run.stride);
  if (!given.fine() || !initial.fine() || !weights.fine()) return nullptr;
  run.outputs += from;
  run.last += from;
  chosen().steps->encoderLayer(run);
  return nullptr;
}

/**
 * attend(scoring, rows, batch, length, query, size, sources, queries, keys, memory, bias, vector, contexts, weights): of each row to
 * its source; the vector is for additive scores, else empty.
 */
napi_value attend(napi_env env, napi_callback_info info) {
  Arguments given(env, info, 14);
  Attending run{};
  StepAttention& attention = run.attention;
  attention.scoring = static_cast<Scoring>(given.number());
  run.rows = given.number();
  attention.batch = given.number();
  attention.length = given.number();
  attention.query = given.number();
  attention.memorySize = given.number();
  attention.sources = given.places(run.rows, attention.batch);
  run.queries = given.floats(run.rows * attention.query);
  attention.keys = given.floats(attention.batch * attention.length * attention.query);
  attention.memory = given.floats(attention.batch * attention.length * attention.memorySize);
  attention.bias = given.floats(attention.batch * attention.length);
  attention.vector = given.floats(attention.scoring == Scoring::additive ? attention.query : 0);
  run.contexts = given.written(run.rows * attention.memorySize);
  attention.weights = given.written(run.rows * attention.length);
  if (given.fine()) chosen().steps->attend(run);
  return nullptr;
}

/** scores(rows, depth, columns, x, panels, bias, labels, scores): ln softmax(x W + b) of each label. */
napi_value scores(napi_env env, napi_callback_info info) {
  Arguments given(env, info, 8);
  PackedScores run{};
  run.rows = given.number();
  run.depth = given.number();
  run.columns = given.number();
  run.x = given.floats(run.rows * run.depth);
  run.weights = affine(given, run.depth, 1, run.columns);
  run.labels = given.places(run.rows, run.columns);
  run.scores = given.written(run.rows);
  if (given.fine()) chosen().steps->packedScores(run);
  return nullptr;
}

/** The numbers that a decoder step's first argument begins with; behind them stand, for each layer, whether it is a GRU, and its size. */
enum Shape {
  SCORING,
  INPUT_FEEDING,
  ROWS,
  ROWS_BEFORE,
  BATCH,
  LENGTH,
  VOCABULARY,
  EMBEDDING,
  SUMMARY,
  QUERY,
  MEMORY,
  OUTPUT,
  LAYERS
};

/**
 * decoderStep(layers, shape, previous, parents, sources, floats): src/kernel/compiled-decoder.ts. The floats are the table;
 * summaries, where there are any; keys, memory and bias, with attention; each layer's state, and o with input feeding; the same
 * after the step; each layer's weights; an additive attention's; those of readout and output layer; the logits; the weights
 * of attention.
 */
napi_value decoderStep(napi_env env, napi_callback_info info) {
  Arguments given(env, info, 6);
  const int64_t layers = given.number();
  const int32_t* const shape = given.integers(LAYERS + 2 * layers);
  if (!given.fine()) return nullptr;
  DecoderStep run{};
  StepAttention& attention = run.attention;
  attention.scoring = static_cast<Scoring>(shape[SCORING]);
  const bool attends = attention.scoring != Scoring::none;
  const long before = shape[ROWS_BEFORE];
  run.rows = shape[ROWS];
  run.vocabulary = shape[VOCABULARY];
  run.embedding = shape[EMBEDDING];
  run.summarySize = shape[SUMMARY];
  run.output = shape[OUTPUT];
  attention.batch = shape[BATCH];
  attention.length = attends ? shape[LENGTH] : 0;
  attention.query = attends ? shape[QUERY] : 0;
  attention.memorySize = attends ? shape[MEMORY] : 0;
  run.previous = given.places(run.rows, run.vocabulary);
  run.parents = given.places(run.rows, before);
  attention.sources = run.summaries = given.places(run.rows, attention.batch);

  Arguments floats = given.list();
  run.table = floats.floats(run.vocabulary * run.embedding);
  if (run.summarySize > 0) run.summary = floats.floats(attention.batch * run.summarySize);
  if (attends) {
    attention.keys = floats.floats(attention.batch * attention.length * attention.query);
    attention.memory = floats.floats(attention.batch * attention.length * attention.memorySize);
    attention.bias = floats.floats(attention.batch * attention.length);
  }
  for (int64_t k = 0; k < layers; k++) {
    StepLayer layer{};
    layer.isGru = shape[LAYERS + 2 * k] != 0;
    layer.hidden = shape[LAYERS + 2 * k + 1];
    layer.h = floats.floats(before * layer.hidden);
    if (!layer.isGru) layer.c = floats.floats(before * layer.hidden);
    run.layers.push_back(layer);
  }
  if (shape[INPUT_FEEDING] != 0) run.fed = floats.floats(before * run.output);
  for (StepLayer& layer : run.layers) {
    layer.hAfter = floats.written(run.rows * layer.hidden);
    if (!layer.isGru) layer.cAfter = floats.written(run.rows * layer.hidden);
  }
  if (run.fed != nullptr) run.fedAfter = floats.written(run.rows * run.output);
  long input = run.embedding + run.summarySize + (run.fed == nullptr ? 0 : run.output);
  for (StepLayer& layer : run.layers) {
    layer.weights = cellWeights(floats, layer.isGru, input, layer.hidden);
    input = layer.hidden;
  }
  if (attention.scoring == Scoring::additive) {
    attention.projection = affine(floats, input, 1, attention.query);
    attention.vector = floats.floats(attention.query);
  } else if (attends && attention.query != input) {
    floats.fail("keys of the state's size");
  }
  run.readout = affine(floats, input + (attends ? attention.memorySize : run.embedding + run.summarySize), 1, run.output);
  run.logitsWeights = affine(floats, run.output, 1, run.vocabulary);
  run.logits = floats.written(run.rows * run.vocabulary);
  if (attends) attention.weights = floats.written(run.rows * attention.length);
  if (given.fine() && floats.fine()) chosen().steps->decoderStep(run);
  return nullptr;
}

}  // namespace
}  // namespace dragoman

NAPI_MODULE_INIT() {
  const std::string& problem = dragoman::whyNoOperations();
  if (!problem.empty()) {
    napi_throw_error(env, nullptr, problem.c_str());
    return nullptr;
  }
  const auto add = [&](const char* name, napi_callback function) {
    napi_value value;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value);
    napi_set_named_property(env, exports, name, value);
  };
  add("start", dragoman::start);
  add("packedSize", dragoman::packedSize);
  add("pack", dragoman::pack);
  add("join", dragoman::join);
  add("linear", dragoman::linear);
  add("best", dragoman::best);
  add("encoderLayer", dragoman::encoderLayer);
  add("decoderStep", dragoman::decoderStep);
  add("attend", dragoman::attend);
  add("scores", dragoman::scores);
  return exports;
}
