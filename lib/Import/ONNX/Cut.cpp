// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns values inside a graph into its inputs and outputs.
#include "Cut.h"

#include "qopt/Support/Error.h"
#include "llvm/ADT/StringExtras.h"

namespace mlir::qopt::importer {

/// Up to three names that are near `name` or contain it, nearest first.
static std::vector<std::string> nearestNames(StringRef name,
                                             const GraphReader &reader) {
  std::vector<std::pair<unsigned, std::string>> near;
  for (const auto &entry : reader.producers) {
    StringRef known = entry.getKey();
    if (entry.second == GraphReader::Initializer ||
        entry.second == GraphReader::Sparse)
      continue;
    unsigned limit = std::max<unsigned>(2, name.size() / 3);
    unsigned distance = name.edit_distance(known, true, limit);
    if (distance <= limit)
      near.emplace_back(distance, known.str());
    else if (!name.empty() && known.contains_insensitive(name))
      near.emplace_back(limit + known.size(), known.str());
  }
  llvm::sort(near);
  std::vector<std::string> names;
  for (const auto &[distance, known] : llvm::ArrayRef(near).take_front(3))
    names.push_back(quoted(known));
  return names;
}

static llvm::Error unknownName(StringRef flag, StringRef name,
                               const GraphReader &reader) {
  std::vector<std::string> notes, near = nearestNames(name, reader);
  if (!near.empty())
    notes.push_back("did you mean " + llvm::join(near, ", ") + "?");
  return makeError(122,
                   flag.str() + " names " + quoted(name) +
                       ", which the model does not compute",
                   std::move(notes),
                   "qopt inspect --nodes lists the values of a model");
}

static llvm::Error checkNames(StringRef flag, ArrayRef<std::string> names,
                              const GraphReader &reader) {
  llvm::StringSet<> seen;
  for (const std::string &name : names) {
    auto producer = reader.producers.find(name);
    if (producer == reader.producers.end())
      return unknownName(flag, name, reader);
    if (producer->second == GraphReader::Initializer ||
        producer->second == GraphReader::Sparse)
      return makeError(122, flag.str() + " names " + quoted(name) +
                                ", which is a weight of the model");
    if (!seen.insert(name).second)
      return makeError(122, flag.str() + " names " + quoted(name) + " twice");
  }
  return llvm::Error::success();
}

static GraphInput declarationOf(const std::string &name, Graph &graph) {
  if (auto found = graph.declared.find(name); found != graph.declared.end())
    if (found->second.type != "unknown")
      return found->second;
  GraphInput input;
  input.name = name;
  input.type = "float32";
  input.isFloat = true;
  graph.notes.push_back("the model does not declare the type of " +
                        quoted(name) + ": taken as float32");
  return input;
}

/// The named values become inputs, the others of the model may not be read.
static void cutInputs(Graph &graph, GraphReader &reader,
                      ArrayRef<std::string> names) {
  std::map<std::string, GraphInput> old;
  for (GraphInput &input : graph.inputs) {
    reader.producers[input.name] = GraphReader::CutAway;
    old[input.name] = std::move(input);
  }
  graph.inputs.clear();
  for (const std::string &name : names) {
    reader.producers[name] = GraphReader::Input;
    auto own = old.find(name);
    graph.inputs.push_back(own != old.end() ? own->second
                                            : declarationOf(name, graph));
  }
}

llvm::Error applyCut(Graph &graph, GraphReader &reader,
                     const CutOptions &options) {
  if (auto error = checkNames("--inputs", options.inputs, reader))
    return error;
  if (auto error = checkNames("--outputs", options.outputs, reader))
    return error;
  if (!options.inputs.empty())
    cutInputs(graph, reader, options.inputs);
  if (!options.outputs.empty())
    graph.outputs = options.outputs;
  graph.cut.emplace();
  graph.cut->inputs = options.inputs;
  graph.cut->outputs = options.outputs;
  return llvm::Error::success();
}

} // namespace mlir::qopt::importer
