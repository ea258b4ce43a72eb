// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Puts a report into the page that shows it (Report.html).

#include "ReportDetails.h"

using namespace mlir::qopt;

static constexpr llvm::StringLiteral page =
#include "qopt/Pipelines/ReportPage.inc"
    ;

std::string pipelines::makeReportPage(const std::string &report) {
  constexpr llvm::StringLiteral place = "__REPORT__";
  auto [before, after] = page.split(place);
  std::string text = before.str();
  // A name may hold the end of the element that the report stands in.
  for (char c : report)
    if (c == '<')
      text += "\\u003c";
    else
      text += c;
  return text + after.str();
}
