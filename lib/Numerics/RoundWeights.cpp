// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GPTQ as a triangular solve: with `H = R^T R` the cost of errors is
// `|R e|^2`, and going through the rows of `R` from the last one up, each
// weight can still cancel what the weights behind it left in its row.

#include "qopt/Numerics/RoundWeights.h"
#include "Clones.h"
#include "qopt/Numerics/QuantParams.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

using namespace mlir::qopt;
using namespace mlir::qopt::numerics;

namespace {
constexpr size_t lanes = 16;
/// Side of a tile.
constexpr size_t side = 32;
constexpr size_t tileSize = side * side;
typedef float Floats __attribute__((vector_size(lanes * 4)));
/// The same anywhere in memory.
typedef float Loose
    __attribute__((vector_size(lanes * 4), aligned(4), may_alias));
} // namespace

void numerics::forEach(size_t count, llvm::function_ref<void(size_t)> body) {
  for (size_t i = 0; i < count; ++i)
    body(i);
}

// By reference: vectors in arguments would need one calling convention for all
// clones.

/// `sum += a b`, rounded once whatever the machine.
static inline __attribute__((always_inline)) void
addProduct(Floats &sum, float a, const Loose &b) {
#if defined(__clang__)
  sum = __builtin_elementwise_fma(a - Floats{}, static_cast<Floats>(b), sum);
#else
  for (size_t i = 0; i < lanes; ++i)
    sum[i] = std::fma(a, b[i], sum[i]);
#endif
}

static inline __attribute__((always_inline)) Loose &at(float *place) {
  return *reinterpret_cast<Loose *>(place);
}
static inline __attribute__((always_inline)) const Loose &
at(const float *place) {
  return *reinterpret_cast<const Loose *>(place);
}

/// `c[i][j] += sign * sum_r a[r][i] b[r][j]`; rows of `a`, `b` and `c` have
/// `side` entries.
QOPT_CLONES static void multiplyTransposed(const float *a, const float *b,
                                           size_t rows, float sign, float *c) {
  constexpr size_t high = 8, wide = side / lanes;
  for (size_t i0 = 0; i0 < side; i0 += high) {
    Floats sum[high][wide] = {};
    for (size_t r = 0; r < rows; ++r) {
      for (size_t i = 0; i < high; ++i)
        for (size_t w = 0; w < wide; ++w)
          addProduct(sum[i][w], a[r * side + i0 + i],
                     at(b + r * side + w * lanes));
    }
    for (size_t i = 0; i < high; ++i)
      for (size_t w = 0; w < wide; ++w)
        at(c + (i0 + i) * side + w * lanes) += sign * sum[i][w];
  }
}

/// `sums[i] += sum_j tile[i][j] errors[j]` of `side` vectors.
QOPT_CLONES static void multiplyVectors(const float *tile, const float *errors,
                                        float *sums) {
  constexpr size_t high = 8;
  for (size_t i0 = 0; i0 < side; i0 += high) {
    Floats sum[high];
    for (size_t i = 0; i < high; ++i)
      sum[i] = at(sums + (i0 + i) * lanes);
    for (size_t j = 0; j < side; ++j)
      for (size_t i = 0; i < high; ++i)
        addProduct(sum[i], tile[(i0 + i) * side + j], at(errors + j * lanes));
    for (size_t i = 0; i < high; ++i)
      at(sums + (i0 + i) * lanes) = sum[i];
  }
}

InputMetric::InputMetric(llvm::ArrayRef<float> inputs, size_t size,
                         const InputMetricOptions &options,
                         ParallelFor parallel)
    : order(size), means(size, 0.0f), panels((size + side - 1) / side) {
  std::iota(order.begin(), order.end(), size_t(0));
  tiles.assign(panels * (panels + 1) / 2 * tileSize, 0.0f);
  chooseOrder(inputs, options.centered);
  if (normalization > 0)
    accumulate(inputs, parallel);
  for (size_t i = 0; i < panels * side; ++i)
    tile(i / side, i / side)[i % side * (side + 1)] +=
        i < size && normalization > 0 ? static_cast<float>(options.damping)
                                      : 1.0f;
  if (normalization > 0)
    factorize(parallel);
}

float *InputMetric::tile(size_t row, size_t column) {
  return tiles.data() +
         (row * panels - row * (row + 1) / 2 + column) * tileSize;
}

const float *InputMetric::tile(size_t row, size_t column) const {
  return const_cast<InputMetric *>(this)->tile(row, column);
}

/// Ascending by energy, since rounding goes from the last one up.
void InputMetric::chooseOrder(llvm::ArrayRef<float> inputs, bool centered) {
  const size_t width = size();
  const size_t rows = width ? inputs.size() / width : 0;
  std::vector<double> sums(width), energies(width);
  for (size_t row = 0; row < rows; ++row)
    for (size_t k = 0; k < width; ++k) {
      const double x = inputs[row * width + k];
      sums[k] += x;
      energies[k] += x * x;
    }
  double total = 0;
  for (size_t k = 0; k < width; ++k) {
    const double mean =
        centered ? sums[k] / static_cast<double>(std::max<size_t>(rows, 1)) : 0;
    means[k] = static_cast<float>(mean);
    energies[k] = std::max(energies[k] - sums[k] * mean, 0.0);
    total += energies[k];
  }
  const double meanEnergy =
      total / static_cast<double>(std::max<size_t>(width, 1));
  if (!(meanEnergy > 0x1p-100 && meanEnergy < 0x1p100))
    return;
  normalization = static_cast<float>(1 / std::sqrt(meanEnergy));
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return energies[a] != energies[b] ? energies[a] < energies[b] : a < b;
  });
}

/// `H` from the inputs, packed into panels of `side` columns.
void InputMetric::accumulate(llvm::ArrayRef<float> inputs,
                             ParallelFor parallel) {
  const size_t width = size(), rows = inputs.size() / width;
  std::vector<float> packed(panels * rows * side, 0.0f);
  parallel(panels, [&](size_t panel) {
    const size_t used = std::min(side, width - panel * side);
    for (size_t row = 0; row < rows; ++row)
      for (size_t i = 0; i < used; ++i) {
        const size_t k = order[panel * side + i];
        packed[(panel * rows + row) * side + i] =
            (inputs[row * width + k] - means[k]) * normalization;
      }
  });
  constexpr size_t block = 256; // Two panels of it fit the first-level cache.
  parallel(panels, [&](size_t row) {
    for (size_t first = 0; first < rows; first += block)
      for (size_t column = row; column < panels; ++column)
        multiplyTransposed(&packed[(row * rows + first) * side],
                           &packed[(column * rows + first) * side],
                           std::min(block, rows - first), 1.0f,
                           tile(row, column));
  });
}

/// The Cholesky factor of a tile in place; the lower half is not read.
static void factorizeTile(float *tile) {
  for (size_t i = 0; i < side; ++i) {
    double pivot = tile[i * side + i];
    for (size_t k = 0; k < i; ++k)
      pivot -= static_cast<double>(tile[k * side + i]) * tile[k * side + i];
    // Damping keeps it far above; rounding of huge sums may not.
    const double root = std::sqrt(std::max(pivot, 1e-6));
    tile[i * side + i] = static_cast<float>(root);
    for (size_t j = i + 1; j < side; ++j) {
      double sum = tile[i * side + j];
      for (size_t k = 0; k < i; ++k)
        sum -= static_cast<double>(tile[k * side + i]) * tile[k * side + j];
      tile[i * side + j] = static_cast<float>(sum / root);
    }
  }
}

/// `other = R^-T other` with `R` in the upper half of `diagonal`.
QOPT_CLONES static void solveTile(const float *diagonal, float *other) {
  for (size_t i = 0; i < side; ++i)
    for (size_t j = 0; j < side; j += lanes) {
      Floats sum = at(other + i * side + j);
      for (size_t k = 0; k < i; ++k)
        addProduct(sum, -diagonal[k * side + i], at(other + k * side + j));
      at(other + i * side + j) = sum / diagonal[i * side + i];
    }
}

void InputMetric::factorize(ParallelFor parallel) {
  for (size_t panel = 0; panel < panels; ++panel) {
    auto reduce = [&](size_t column) {
      for (size_t k = 0; k < panel; ++k)
        multiplyTransposed(tile(k, panel), tile(k, column), side, -1.0f,
                           tile(panel, column));
    };
    reduce(panel);
    factorizeTile(tile(panel, panel));
    parallel(panels - panel - 1, [&](size_t offset) {
      const size_t column = panel + 1 + offset;
      reduce(column);
      solveTile(tile(panel, panel), tile(panel, column));
    });
  }
}

/// `lanes` rows of weights side by side, in the order of the metric.
struct InputMetric::Lanes {
  explicit Lanes(size_t places)
      : targets(places * lanes), values(places * lanes), errors(places * lanes),
        steps(places * lanes, 1.0f) {}

  /// Values are in `steps`: scales times multiples.
  std::vector<float> targets, values, errors, steps;
  double costs[lanes] = {};
};

/// The rows of `diagonal` from the last one up. `sums` are what the places
/// behind this panel add; targets, values and errors are of its places.
QOPT_CLONES static void roundPanel(const float *diagonal, const float *sums,
                                   const float *targets, const float *steps,
                                   bool decide, int32_t qmax, float *values,
                                   float *errors, double *costs) {
  for (size_t i = side; i-- > 0;) {
    const float own = diagonal[i * side + i];
    Floats sum = at(sums + i * lanes);
    for (size_t j = i + 1; j < side; ++j)
      addProduct(sum, diagonal[i * side + j], at(errors + j * lanes));
    float behind[lanes];
    at(behind) = sum;
    for (size_t lane = 0; lane < lanes; ++lane) {
      const size_t place = i * lanes + lane;
      if (decide)
        values[place] =
            static_cast<float>(quantize(targets[place] + behind[lane] / own,
                                        {steps[place], 0, -qmax, qmax}));
      errors[place] = targets[place] - steps[place] * values[place];
      const double part =
          static_cast<double>(own) * errors[place] + behind[lane];
      costs[lane] += part * part;
    }
  }
}

/// Gives every lane its errors and its cost; with `decide` its values first.
void InputMetric::propagate(Lanes &rows, bool decide, int32_t qmax) const {
  std::fill_n(rows.costs, lanes, 0.0);
  std::vector<float> sums(side * lanes);
  for (size_t panel = panels; panel-- > 0;) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (size_t column = panel + 1; column < panels; ++column)
      multiplyVectors(tile(panel, column), &rows.errors[column * side * lanes],
                      sums.data());
    const size_t place = panel * side * lanes;
    roundPanel(tile(panel, panel), sums.data(), &rows.targets[place],
               &rows.steps[place], decide, qmax, &rows.values[place],
               &rows.errors[place], rows.costs);
  }
}

size_t InputMetric::round(llvm::ArrayRef<float> targets,
                          llvm::ArrayRef<float> scales, int32_t qmax,
                          llvm::MutableArrayRef<int8_t> values,
                          ParallelFor parallel,
                          llvm::ArrayRef<uint8_t> multiples,
                          llvm::MutableArrayRef<double> costs) const {
  const size_t width = size(), count = scales.size();
  std::vector<uint8_t> changed(count, 0);
  parallel((count + lanes - 1) / lanes, [&](size_t block) {
    const size_t first = block * lanes, used = std::min(lanes, count - first);
    Lanes rows(panels * side);
    for (size_t place = 0; place < width; ++place)
      for (size_t lane = 0; lane < used; ++lane) {
        const size_t index = (first + lane) * width + order[place];
        const auto multiple =
            static_cast<float>(multiples.empty() ? 1 : multiples[index]);
        rows.targets[place * lanes + lane] = targets[index];
        rows.steps[place * lanes + lane] = scales[first + lane] * multiple;
        rows.values[place * lanes + lane] =
            static_cast<float>(values[index]) / multiple;
      }
    double known[lanes];
    propagate(rows, /*decide=*/false, qmax);
    std::copy_n(rows.costs, lanes, known);
    propagate(rows, /*decide=*/true, qmax);
    for (size_t lane = 0; lane < used; ++lane) {
      const bool isBetter = rows.costs[lane] < known[lane];
      if (!costs.empty())
        costs[first + lane] = isBetter ? rows.costs[lane] : known[lane];
      if (!isBetter)
        continue;
      changed[first + lane] = 1;
      for (size_t place = 0; place < width; ++place) {
        const size_t index = (first + lane) * width + order[place];
        values[index] = static_cast<int8_t>(
            rows.values[place * lanes + lane] *
            static_cast<float>(multiples.empty() ? 1 : multiples[index]));
      }
    }
  });
  return std::accumulate(changed.begin(), changed.end(), size_t(0));
}

/// The columns of the factor after each other, column `k` of `k + 1` entries.
std::vector<float> InputMetric::getColumns() const {
  std::vector<float> columns;
  columns.reserve(size() * (size() + 1) / 2);
  for (size_t k = 0; k < size(); ++k)
    for (size_t i = 0; i <= k; ++i)
      columns.push_back(tile(i / side, k / side)[i % side * side + k % side]);
  return columns;
}

/// `product += factor[lane] column` where `factor` is given, else the products
/// of `column` with `product` in `sums`.
QOPT_CLONES static void multiplyColumn(const float *column, size_t size,
                                       float *product, const float *factor,
                                       float *sums) {
  if (factor) {
    for (size_t i = 0; i < size; ++i) {
      Floats sum = at(product + i * lanes);
      addProduct(sum, column[i], at(factor));
      at(product + i * lanes) = sum;
    }
    return;
  }
  Floats sum = {};
  for (size_t i = 0; i < size; ++i)
    addProduct(sum, column[i], at(product + i * lanes));
  at(sums) = sum;
}

namespace {
/// `lanes` rows of weights on their way to least cost: `product` is the factor
/// times their errors.
struct Descent {
  llvm::ArrayRef<float> steps;
  int32_t qmax;
  llvm::MutableArrayRef<float> values;
  std::vector<float> product;

  /// Moves the values at `place`, whose column of the factor is given with its
  /// squared norm; how many lanes changed.
  size_t move(size_t place, const float *column, double norm) {
    float sums[lanes], shifts[lanes];
    multiplyColumn(column, place + 1, product.data(), nullptr, sums);
    size_t moved = 0;
    for (size_t lane = 0; lane < lanes; ++lane) {
      const float step = steps[place * lanes + lane];
      float &value = values[place * lanes + lane];
      // Beyond half a step a move gains; ties and noise stay.
      const double best = static_cast<double>(sums[lane]) / (norm * step);
      const double next = std::min<double>(
          std::max<double>(
              value + (std::fabs(best) > 0.5001 ? std::round(best) : 0.0),
              -qmax),
          qmax);
      shifts[lane] = static_cast<float>(value - next) * step;
      moved += next != static_cast<double>(value);
      value = static_cast<float>(next);
    }
    if (moved > 0)
      multiplyColumn(column, place + 1, product.data(), shifts, nullptr);
    return moved;
  }
};
} // namespace

size_t InputMetric::descend(llvm::ArrayRef<float> targets,
                            llvm::ArrayRef<float> scales, int32_t qmax,
                            llvm::MutableArrayRef<int8_t> values,
                            ParallelFor parallel,
                            llvm::ArrayRef<uint8_t> multiples,
                            int sweeps) const {
  const size_t width = size(), count = scales.size();
  const std::vector<float> columns = getColumns();
  auto columnOf = [&](size_t place) {
    return columns.data() + place * (place + 1) / 2;
  };
  std::vector<double> norms(width);
  for (size_t place = 0; place < width; ++place)
    for (float entry : llvm::ArrayRef(columnOf(place), place + 1))
      norms[place] += static_cast<double>(entry) * entry;
  std::vector<size_t> changed((count + lanes - 1) / lanes);
  parallel(changed.size(), [&](size_t block) {
    const size_t first = block * lanes, used = std::min(lanes, count - first);
    Lanes rows(width);
    auto forAll = [&](auto visit) {
      for (size_t place = 0; place < width; ++place)
        for (size_t lane = 0; lane < used; ++lane) {
          const size_t index = (first + lane) * width + order[place];
          visit(place * lanes + lane, index,
                static_cast<float>(multiples.empty() ? 1 : multiples[index]));
        }
    };
    forAll([&](size_t at, size_t index, float multiple) {
      rows.steps[at] = scales[first + (at % lanes)] * multiple;
      rows.values[at] = static_cast<float>(values[index]) / multiple;
      rows.errors[at] = targets[index] - rows.steps[at] * rows.values[at];
    });
    Descent descent{rows.steps, qmax, rows.values,
                    std::vector<float>(width * lanes)};
    for (size_t place = 0; place < width; ++place)
      multiplyColumn(columnOf(place), place + 1, descent.product.data(),
                     &rows.errors[place * lanes], nullptr);
    bool moves = true;
    for (int sweep = 0; sweep < sweeps && moves; ++sweep) {
      moves = false;
      for (size_t place = width; place-- > 0;)
        moves |= descent.move(place, columnOf(place), norms[place]) > 0;
    }
    forAll([&](size_t at, size_t index, float multiple) {
      const auto value = static_cast<int8_t>(rows.values[at] * multiple);
      changed[block] += values[index] != value;
      values[index] = value;
    });
  });
  return std::accumulate(changed.begin(), changed.end(), size_t(0));
}

double InputMetric::cost(llvm::ArrayRef<float> target, float scale,
                         llvm::ArrayRef<int8_t> values) const {
  Lanes rows(panels * side);
  std::fill(rows.steps.begin(), rows.steps.end(), scale);
  for (size_t place = 0; place < size(); ++place) {
    rows.targets[place * lanes] = target[order[place]];
    rows.values[place * lanes] = values[order[place]];
  }
  propagate(rows, /*decide=*/false, /*qmax=*/127);
  return rows.costs[0];
}
