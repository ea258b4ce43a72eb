// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An ONNX graph under construction: nodes, initializers, unique names.
#pragma once

#ifndef ONNX_ML
#define ONNX_ML 1
#endif
#ifndef ONNX_NAMESPACE
#define ONNX_NAMESPACE onnx
#endif
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <map>
#include <onnx/onnx_pb.h>
#include <string>
#include <vector>

namespace mlir::qopt::exporter {

/// The elements that the graphs hold, by the ONNX numbers.
enum class Element {
  Float = onnx::TensorProto::FLOAT,
  UInt8 = onnx::TensorProto::UINT8,
  Int8 = onnx::TensorProto::INT8,
  UInt16 = onnx::TensorProto::UINT16,
  Int16 = onnx::TensorProto::INT16,
  Int32 = onnx::TensorProto::INT32,
  /// Two a byte. The packaged protobuf classes are older than its number.
  Int4 = 22,
};

/// One attribute of a node.
struct NodeAttribute {
  NodeAttribute(const char *name, int64_t value) : name(name), whole(value) {}
  NodeAttribute(const char *name, float value)
      : name(name), real(value), kind(onnx::AttributeProto::FLOAT) {}
  NodeAttribute(const char *name, llvm::ArrayRef<int64_t> values)
      : name(name), wholes(values), kind(onnx::AttributeProto::INTS) {}

  const char *name;
  int64_t whole = 0;
  float real = 0;
  llvm::ArrayRef<int64_t> wholes;
  onnx::AttributeProto::AttributeType kind = onnx::AttributeProto::INT;
};

class Graph {
public:
  explicit Graph(llvm::StringRef name) { graph.set_name(name.str()); }

  /// `wanted`, or that with a number where it is taken.
  std::string reserve(llvm::StringRef wanted);
  /// The names are reserved.
  void addInput(llvm::StringRef name, Element element,
                llvm::ArrayRef<int64_t> shape);
  void addOutput(llvm::StringRef name, Element element,
                 llvm::ArrayRef<int64_t> shape);
  /// The shape of a float value, for those who look at the graph.
  void addShape(llvm::StringRef name, llvm::ArrayRef<int64_t> shape);

  /// Adds a node; gives the name of its result, made from `hint`.
  std::string addNode(llvm::StringRef op, std::vector<std::string> inputs,
                      llvm::StringRef hint,
                      std::vector<NodeAttribute> attributes = {});
  /// Calls `result`, which nobody read yet, `name`, which is reserved.
  void nameResult(llvm::StringRef result, llvm::StringRef name);

  /// Initializers; `integers` must fit `element`.
  std::string addFloats(llvm::StringRef hint, llvm::ArrayRef<int64_t> shape,
                        llvm::ArrayRef<float> values);
  std::string addIntegers(llvm::StringRef hint, Element element,
                          llvm::ArrayRef<int64_t> shape,
                          llvm::ArrayRef<int32_t> values);
  /// A list of shapes, axes or indices.
  std::string addList(llvm::StringRef hint, llvm::ArrayRef<int64_t> values);
  /// One float; equal ones are one initializer.
  std::string addScalar(float value);

  onnx::GraphProto take() { return std::move(graph); }

private:
  onnx::TensorProto &addTensor(llvm::StringRef hint, int32_t type,
                               llvm::ArrayRef<int64_t> shape);

  onnx::GraphProto graph;
  llvm::StringSet<> names;
  /// The last number that made a name unique.
  llvm::StringMap<int> numbers;
  /// By the bits of the value.
  std::map<uint32_t, std::string> scalars;
};

} // namespace mlir::qopt::exporter
