// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// qopt inspect: the figures of a model as a table or as JSON.

#include "qopt/Import/ONNX/Inspect.h"
#include "mlir/IR/MLIRContext.h"
#include "qopt/Pipelines/Compile.h"
#include "qopt/Pipelines/Inputs.h"
#include "qopt/Support/Error.h"
#include "qopt/Support/Printable.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include <map>

using namespace mlir;
using namespace mlir::qopt;
using namespace mlir::qopt::pipelines;
using importer::ModelFigures;
using importer::NodeFigures;
using importer::ValueFigures;
using Status = NodeFigures::Status;

namespace {

/// The nodes of one operator.
struct OperatorRow {
  int64_t nodes = 0, refused = 0, unchecked = 0;
  uint64_t macs = 0, parameters = 0;
  std::string why;

  void add(const NodeFigures &node) {
    ++nodes;
    refused += node.status == Status::Refused;
    unchecked += node.status == Status::Unchecked;
    macs += node.macs;
    parameters += node.parameters;
    if (why.empty())
      why = node.why;
  }
};

} // namespace

/// A name as the tables have it.
static std::string printable(StringRef text) {
  return makePrintable(text.take_front(120));
}

static std::string formatShape(const ValueFigures &value) {
  if (!value.hasShape)
    return "?";
  return value.shape.empty() ? "scalar"
                             : printable(llvm::join(value.shape, "x"));
}

static StringRef statusName(Status status) {
  switch (status) {
  case Status::Computed:
    return "ok";
  case Status::Folded:
    return "folded";
  case Status::Refused:
    return "not supported";
  case Status::Unchecked:
    return "not checked";
  }
  return "";
}

//===----------------------------------------------------------------------===//
// Table
//===----------------------------------------------------------------------===//

static void printHead(llvm::raw_ostream &os, const ModelFigures &figures,
                      const CompileOptions &options) {
  os << "model       " << llvm::sys::path::filename(options.model) << ", "
     << figures.bytes << " bytes, SHA-256 " << figures.hash << "\n";
  os << "format      IR " << figures.irVersion;
  for (const auto &[domain, version] : figures.opsets)
    os << ", " << printable(domain) << " " << version;
  if (!figures.producer.empty())
    os << ", by " << printable(figures.producer);
  os << "\n";
  auto values = [&](StringRef what, ArrayRef<ValueFigures> list) {
    for (const ValueFigures &value : list)
      os << what << printable(value.name) << "  " << value.type << "  "
         << formatShape(value) << "\n";
  };
  values("input       ", figures.inputs);
  values("output      ", figures.outputs);
}

static void printRow(llvm::raw_ostream &os, StringRef name,
                     const OperatorRow &row) {
  os << llvm::formatv("{0,-32} {1,6} {2,14} {3,12}", printable(name), row.nodes,
                      row.macs, row.parameters);
  if (row.refused)
    os << "  not supported";
  if (row.refused && row.refused != row.nodes)
    os << " (" << row.refused << ")";
  if (!row.refused && row.unchecked)
    os << "  not checked";
  os << "\n";
}

static void printOperators(llvm::raw_ostream &os, const ModelFigures &figures) {
  std::map<std::string, OperatorRow> rows;
  OperatorRow total;
  for (const NodeFigures &node : figures.nodes) {
    rows[node.opType].add(node);
    total.add(node);
  }
  os << llvm::formatv("{0,-32} {1,6} {2,14} {3,12}\n", "operator", "nodes",
                      "MACs", "parameters");
  for (const auto &[name, row] : rows)
    printRow(os, name, row);
  total.refused = total.unchecked = 0;
  printRow(os, "total", total);
  if (figures.unusedNodes)
    os << "unused      " << figures.unusedNodes
       << " nodes that no output needs\n";
}

static void printNodes(llvm::raw_ostream &os, const ModelFigures &figures) {
  for (const NodeFigures &node : figures.nodes) {
    os << "node        " << printable(node.name) << "  "
       << printable(node.opType) << "  (";
    for (auto [i, input] : llvm::enumerate(node.inputs))
      os << (i ? ", " : "") << printable(input);
    os << ") ->";
    for (const ValueFigures &output : node.outputs)
      os << " " << printable(output.name) << " " << formatShape(output);
    os << "  " << statusName(node.status) << "\n";
  }
}

static void printRefusals(llvm::raw_ostream &os, const ModelFigures &figures) {
  auto line = [&](int code, StringRef why) {
    os << llvm::format("refused     Q%04d ", code) << why << "\n";
  };
  for (const importer::RefusalFigures &refusal : figures.refusals)
    line(refusal.code, refusal.why);
  for (const NodeFigures &node : figures.nodes)
    if (node.status == Status::Refused)
      line(node.code, node.why);
  if (!figures.openShapes.empty())
    os << "open shapes, so that only operators' names were checked:\n"
       << figures.openShapes;
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

static void writeValues(llvm::json::OStream &json, StringRef key,
                        ArrayRef<ValueFigures> values) {
  json.attributeArray(key, [&] {
    for (const ValueFigures &value : values)
      json.object([&] {
        json.attribute("name", llvm::json::fixUTF8(value.name));
        json.attribute("type", value.type);
        if (!value.hasShape)
          return;
        json.attributeArray("shape", [&] {
          for (StringRef dim : value.shape) {
            int64_t size = 0;
            if (dim.getAsInteger(10, size))
              json.value(llvm::json::fixUTF8(dim));
            else
              json.value(size);
          }
        });
      });
  });
}

static void writeNode(llvm::json::OStream &json, const NodeFigures &node) {
  json.object([&] {
    json.attribute("name", llvm::json::fixUTF8(node.name));
    json.attribute("operator", llvm::json::fixUTF8(node.opType));
    json.attributeArray("inputs", [&] {
      for (const std::string &input : node.inputs)
        json.value(llvm::json::fixUTF8(input));
    });
    writeValues(json, "outputs", node.outputs);
    json.attribute("status", statusName(node.status));
    if (node.status == Status::Refused) {
      json.attribute("code", node.code);
      json.attribute("why", llvm::json::fixUTF8(node.why));
    }
    json.attribute("macs", node.macs);
    json.attribute("parameters", node.parameters);
  });
}

static void writeJson(llvm::raw_ostream &os, const ModelFigures &figures,
                      const CompileOptions &options) {
  llvm::json::OStream json(os, 2);
  uint64_t macs = 0, parameters = 0;
  for (const NodeFigures &node : figures.nodes) {
    macs += node.macs;
    parameters += node.parameters;
  }
  json.object([&] {
    json.attribute("schema_version", 1);
    json.attribute("qopt_version", QOPT_VERSION);
    json.attribute(
        "model", llvm::json::fixUTF8(llvm::sys::path::filename(options.model)));
    json.attribute("model_hash", figures.hash);
    json.attribute("model_bytes", figures.bytes);
    json.attribute("ir_version", figures.irVersion);
    json.attribute("producer", llvm::json::fixUTF8(figures.producer));
    json.attributeObject("opsets", [&] {
      std::map<std::string, int64_t> unique(figures.opsets.begin(),
                                            figures.opsets.end());
      for (const auto &[domain, version] : unique)
        json.attribute(llvm::json::fixUTF8(domain), version);
    });
    writeValues(json, "inputs", figures.inputs);
    writeValues(json, "outputs", figures.outputs);
    json.attribute("macs", macs);
    json.attribute("parameters", parameters);
    json.attribute("unused_nodes", figures.unusedNodes);
    json.attribute("refused", figures.countRefused());
    json.attribute("shapes_bound", figures.openShapes.empty());
    json.attributeArray("refusals", [&] {
      for (const importer::RefusalFigures &refusal : figures.refusals)
        json.object([&] {
          json.attribute("code", refusal.code);
          json.attribute("why", llvm::json::fixUTF8(refusal.why));
        });
    });
    json.attributeArray("nodes", [&] {
      for (const NodeFigures &node : figures.nodes)
        writeNode(json, node);
    });
  });
  os << "\n";
}

//===----------------------------------------------------------------------===//
// Verb
//===----------------------------------------------------------------------===//

/// The exit code's reason: what is not supported counts before what is wrong.
static llvm::Error verdict(const ModelFigures &figures) {
  int64_t count = figures.countRefused();
  if (count == 0)
    return llvm::Error::success();
  auto isUnsupported = [](const auto &entry) { return entry.code / 100 == 3; };
  std::string text = std::to_string(count) + " of " +
                     std::to_string(figures.nodes.size()) + " nodes";
  if (llvm::any_of(figures.nodes, isUnsupported) ||
      llvm::any_of(figures.refusals, isUnsupported))
    return makeError(
        304, "the model is not supported whole: " + text + " are refused", {},
        "--outputs and --inputs take a part of a model");
  return makeError(210,
                   "the model breaks ONNX's rules: " + text + " are refused");
}

llvm::Error mlir::qopt::pipelines::inspect(const CompileOptions &options,
                                           const InspectOptions &how,
                                           const Streams &streams) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  auto importOptions = makeImportOptions(options);
  if (!importOptions)
    return importOptions.takeError();
  auto figures = importer::inspectModel(options.model, context, *importOptions);
  if (!figures)
    return figures.takeError();
  for (const std::string &note : figures->notes)
    streams.progress << "note: " << note << "\n";
  if (how.json) {
    writeJson(streams.results, *figures, options);
  } else {
    printHead(streams.results, *figures, options);
    if (how.nodes)
      printNodes(streams.results, *figures);
    printOperators(streams.results, *figures);
    printRefusals(streams.results, *figures);
  }
  // On a terminal the verdict comes last.
  streams.results.flush();
  return verdict(*figures);
}
