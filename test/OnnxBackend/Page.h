// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// docs/conformance.md, from the outcomes of all tests in scope.
#pragma once

#include "RunCase.h"
#include <map>

namespace qopt_test {

struct CaseResult {
  const BackendCase *test;
  Outcome outcome;
};

/// `reasons` say, by test, why one is refused.
std::string makePage(llvm::ArrayRef<CaseResult> results,
                     const std::map<std::string, std::string> &reasons);

} // namespace qopt_test
