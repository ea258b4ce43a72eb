// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The opsets of the default domain that qopt reads.
#pragma once

#include <cstdint>

namespace mlir::qopt::importer {

inline constexpr int64_t kMinOpset = 7;
inline constexpr int64_t kMaxOpset = 23;

} // namespace mlir::qopt::importer
