// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The generated ONNX classes, as Debian's package was built.
#pragma once

#ifndef ONNX_ML
#define ONNX_ML 1
#endif
#ifndef ONNX_NAMESPACE
#define ONNX_NAMESPACE onnx
#endif
#include <onnx/onnx_pb.h>
