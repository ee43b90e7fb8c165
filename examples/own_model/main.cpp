// The study on a model of one's own, without files. The library asks for two callables: one that runs the model on a part
// of the data with a hook at the sites of its FFNs (make_runner), one that says how well it did (loss, for a perplexity; or
// agreement). This model is made up, and its text is what it would write itself; put yours in their place.
#include <tamis/ffn/glu_ffn.hpp>
#include <tamis/ffn/pack.hpp>
#include <tamis/format/f32.hpp>
#include <tamis/rule/top_p.hpp>
#include <tamis/study/calibrate/calibration.hpp>
#include <tamis/study/calibrate/cett_curve.hpp>
#include <tamis/study/calibrate/cett_refinement.hpp>
#include <tamis/study/critical.hpp>
#include <tamis/study/exact_total.hpp>
#include <tamis/study/hooked_ffn.hpp>
#include <tamis/study/masker.hpp>
#include <tamis/study/meter/accounting.hpp>
#include <tamis/study/meter/cett.hpp>
#include <tamis/study/meter/sparsity.hpp>
#include <tamis/study/meter/stability.hpp>
#include <tamis/study/plan.hpp>
#include <tamis/study/sweep.hpp>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

using namespace tamis;

namespace {

constexpr std::size_t width = 48, neurons = 128, layers = 3, vocabulary = 64;
constexpr std::size_t sequences = 16, tokens = 32; // the data; a sequence is a part

/// Numbers in (-scale, scale) that look like weights, the same on every machine.
std::vector<float> some_numbers(std::size_t count, unsigned seed, float scale) {
    std::vector<float> numbers(count);
    for (float& number : numbers) {
        seed = seed * 1664525u + 1013904223u;
        number = scale * static_cast<float>(static_cast<int>(seed >> 8) - (1 << 23)) / 8388608.0f;
    }
    return numbers;
}

using ffn_weights = study::hooked_ffn<silu>::weights; // views of float32 in a checkpoint's order
using logits = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>; // tokens x vocabulary
using text = std::vector<std::size_t>; // the token behind each position of a sequence
using in = block<const float>;         // tokens x width
using out = block<float>;

/// An embedding, a memory of earlier tokens in place of attention, FFNs with residuals, a readout.
class toy_model {
  public:
    ffn_weights weights(std::size_t layer) const {
        const float* const w = ffns_.data() + layer * 3 * width * neurons;
        const float* const down = w + 2 * width * neurons;
        return {{w, neurons, width}, {w + width * neurons, neurons, width}, {down, width, neurons}};
    }
    /// `ffn(layer, in x, out y)` does y = FFN(x) for all tokens, in whatever way.
    template <class Ffn>
    logits predict(std::size_t sequence, Ffn&& ffn) const {
        values x(tokens, width), normed(tokens, width), y(tokens, width);
        for (Eigen::Index t = 0; t < x.rows(); ++t) {
            const std::size_t token = (37 * sequence + 11 * static_cast<std::size_t>(t * t)) % vocabulary;
            x.row(t) = Eigen::RowVectorXf::Map(embedding_.data() + token * width, width);
            x.row(t) += 0.7f * x.row(std::max<Eigen::Index>(t - 1, 0));
        }
        for (std::size_t layer = 0; layer < layers; ++layer) {
            normed = x.rowwise().normalized() * std::sqrt(static_cast<float>(width));
            ffn(layer, in{normed.data(), tokens, width}, out{y.data(), tokens, width});
            x += y;
        }
        return x * Eigen::Map<const values>(readout_.data(), width, vocabulary);
    }

  private:
    using values = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    std::vector<float> ffns_ = some_numbers(layers * 3 * width * neurons, 1, 0.2f);
    std::vector<float> embedding_ = some_numbers(vocabulary * width, 2, 3.0f);
    std::vector<float> readout_ = some_numbers(width * vocabulary, 3, 1.0f);
};

/// What make(layer) gives for each layer.
template <class Make>
auto of_each_layer(Make&& make) {
    std::vector<decltype(make(std::size_t{}))> all;
    for (std::size_t layer = 0; layer < layers; ++layer) {
        all.push_back(make(layer));
    }
    return all;
}

/// The first callable: `run(sequence, hook)`. hooked_ffn calls the hook at its sites; an engine may do so itself. It keeps
/// memory between calls, so each thread makes one.
auto make_runner(const toy_model& model) {
    auto ffns = of_each_layer([&](auto layer) { return study::hooked_ffn{model.weights(layer), silu{}}; });
    return [&model, ffns](std::size_t sequence, auto&& hook) mutable {
        return model.predict(sequence, [&](auto layer, in x, out y) { ffns[layer](layer, x, y, hook); });
    };
}

/// The second: the loss of the tokens that come next, -ln of their probabilities. exact_total adds in any order to the same bits.
void add_loss(const logits& said, const text& next, study::exact_total& to) {
    for (Eigen::Index t = 0; t < said.rows(); ++t) {
        const auto row = said.row(t).cast<double>();
        const double most = row.maxCoeff();
        to.add(std::log((row.array() - most).exp().sum()) + most -
               row(static_cast<Eigen::Index>(next[static_cast<std::size_t>(t)])));
    }
}
/// Or: in how many positions the likeliest token is the text's.
std::size_t agreement(const logits& said, const text& next) {
    std::size_t agreeing = 0;
    for (Eigen::Index t = 0; t < said.rows(); ++t) {
        std::size_t likeliest;
        said.row(t).maxCoeff(&likeliest);
        agreeing += likeliest == next[static_cast<std::size_t>(t)] ? 1 : 0;
    }
    return agreeing;
}
/// Of one run over all of the data.
struct spoken {
    study::exact_total loss;
    std::size_t agreeing = 0;

    void add(const logits& said, const text& next) {
        add_loss(said, next, loss);
        agreeing += agreement(said, next);
    }
    void merge(const spoken& other) {
        loss.merge(other.loss);
        agreeing += other.agreeing;
    }
    double perplexity() const { return std::exp(loss.mean()); }
    double share() const { return static_cast<double>(agreeing) / (sequences * tokens); }
};

double percent(double share) { return 100 * share; }

/// What a trial adds up over parts and threads.
struct measured {
    study::per_layer<study::meters<study::sparsity_meter, study::accounting_meter>> masks;
    spoken said{};

    void merge(const measured& other) {
        masks.merge(other.masks);
        said.merge(other.said);
    }
};

/// As many threads as tasks; tamis::openmp, tamis::on_tbb or an engine's pool do as well.
constexpr auto run_in_threads = [](std::size_t count, auto&& task) {
    std::vector<std::thread> started;
    for (std::size_t i = 0; i < count; ++i) {
        started.emplace_back([&task, i] { task(i); });
    }
    for (std::thread& one : started) {
        one.join();
    }
};

/// Sweeps top-p over sites and values. A trial is a plan, and is measured on every part; both are spread over threads.
bool show_critical_sparsity(const toy_model& model, const std::vector<text>& next, const spoken& dense) {
    std::vector<study::plan> plans;
    for (const site where : study::all_sites) {
        for (const double p : study::paper_values) {
            plans.push_back(study::plan{layers}.set_all(where, top_p{p}));
        }
    }
    const std::size_t bytes_of_mask = plans[0].workspace_bytes(neurons);
    const auto make_worker = [&] { // once a thread, for what a thread needs of its own
        return [&, run = make_runner(model), memory = owned_workspace{bytes_of_mask}](auto trial, auto part,
                                                                                      measured& sum) mutable {
            sum.said.add(run(part, study::masker{plans[trial], memory, sum.masks}), next[part]);
        };
    };
    const study::accounting_meter bytes{study::ffn_sizes::of(model.weights(0))};
    const measured fresh{study::per_layer{layers, study::meters{study::sparsity_meter{}, bytes}}};
    const auto trials = study::sweep(
        plans.size(), sequences, fresh, executor_of{2, run_in_threads}, make_worker,
        [](std::size_t, const measured&) {}, // a trial is complete: a long sweep saves it here
        [](study::sweep_progress) {});

    std::printf(
        "dense: perplexity %.4f\n"
        "top-p: critical sparsity (PPL within 1 %%; 99 %% of the predictions stay), and what p = 0.9 drops in each layer\n"
        "  site          PPL-1%%    bytes not read   between p (PPL / dense PPL)      agreement   p = 0.9\n",
        dense.perplexity());
    bool fine = true;
    const measured* trial = trials.data();
    for (const site where : study::all_sites) {
        std::vector<study::sweep_point> points, agreeing;
        std::string by_layer;
        for (const double p : study::paper_values) {
            const auto all = trial->masks.merged(); // of layers; masks[layer] is one of them
            points.push_back({p, all.get<study::sparsity_meter>().sparsity(where),
                              all.get<study::accounting_meter>().bytes_not_read(),
                              trial->said.perplexity() / dense.perplexity()});
            agreeing.push_back(points.back());
            agreeing.back().quality = trial->said.share();
            for (std::size_t layer = 0; p == 0.9 && layer < layers; ++layer) {
                const auto& of_layer = trial->masks[layer].get<study::sparsity_meter>();
                by_layer += "  " + std::to_string(std::lround(percent(of_layer.sparsity(where)))) + " %";
            }
            ++trial;
        }
        const study::critical_point c = study::find_critical(study::perplexity_within(1), points);
        const study::critical_point a = study::find_critical(study::keeps_share(0.99), agreeing);
        std::printf("  %-12s %7.1f %% %14.1f %%   %.3f (%.4f), %.3f (%.4f) %9.1f %% %s\n", name_of(where),
                    percent(c.sparsity), percent(c.skipped), c.kept.value, c.kept.quality, c.lost.value,
                    c.lost.quality, percent(a.sparsity), by_layer.c_str());
        fine = fine && c.reached && c.sparsity > 0 && a.reached && a.sparsity > 0;
    }
    return fine;
}

/// All of the data under a plan, seen by a meter a layer.
template <class Run, class Meter>
void see_all(Run& run, const study::plan& masks, Meter& meter) {
    owned_workspace memory{masks.workspace_bytes(neurons)};
    for (std::size_t sequence = 0; sequence < sequences; ++sequence) {
        meter.begin(); // for those that compare a token with the one before
        run(sequence, study::masker{masks, memory, meter});
    }
}

/// Each layer's threshold at which the mean over tokens of CETT is the target, in two passes over the dense model's values:
/// the first finds it to within 2^-8, the second to the float. Threads and machines would each feed meters, and merge them.
template <class Run>
study::calibration calibrate(Run& run, const toy_model& model, const std::vector<std::vector<float>>& norms,
                             double target) {
    const study::plan no_masks{layers};
    study::per_layer curves{of_each_layer([&](auto layer) {
        return study::cett_curve{model.weights(layer).down, norms[layer]};
    })};
    see_all(run, no_masks, curves);
    study::per_layer refined{of_each_layer([&](auto layer) {
        return study::cett_refinement{curves[layer], std::array{target}};
    })};
    see_all(run, no_masks, refined);

    study::calibration found; // <tamis/study/calibrate/calibration_json.hpp> writes it as text, and reads it
    found.model = "made up";
    found.source = "16 sequences of 32 tokens";
    found.kind = "cett";
    found.target = target;
    found.tokens = curves[0].tokens();
    found.layers = layers;
    found.rules = study::rules_for(site::intermediate, "cett",
                                   of_each_layer([&](auto layer) { return refined[layer].threshold(0); }));
    return found;
}

} // namespace

int main() {
    const toy_model model;
    auto run = make_runner(model);
    std::vector<text> next(sequences, text(tokens)); // what it writes itself: yours has a text
    spoken dense;
    for (std::size_t sequence = 0; sequence < sequences; ++sequence) {
        const logits said = run(sequence, study::no_hook{});
        for (std::size_t t = 0; t < tokens; ++t) {
            said.row(static_cast<Eigen::Index>(t)).maxCoeff(&next[sequence][t]);
        }
        dense.add(said, next[sequence]);
    }
    bool fine = show_critical_sparsity(model, next, dense);

    const auto norms = of_each_layer([&](auto layer) { // of W_down's columns
        std::vector<float> of_layer(neurons);
        neuron_norms(model.weights(layer).down, of_layer);
        return of_layer;
    });
    const study::calibration found = calibrate(run, model, norms, 0.1);

    // What these masks are like with all layers masked: those behind the first no longer see the dense model's values.
    study::per_layer seen{of_each_layer([&](auto layer) {
        return study::meters{study::sparsity_meter{}, study::stability_meter{site::intermediate},
                             study::cett_meter{model.weights(layer).down}};
    })};
    see_all(run, study::plan_of(found, norms), seen);

    // The same thresholds where they are of use: in FFNs that skip weights. Nothing of the study but them is left here.
    const auto policies = of_each_layer([&](auto layer) {
        return at_intermediate(study::selector_at(found, layer, site::intermediate, norms[layer]));
    });
    const auto packed = // W_down by neurons, so that it can skip; gate and up stay where they are
        of_each_layer([&](auto layer) { return pack(model.weights(layer), policies[layer]); });
    const auto ffns = of_each_layer([&](auto layer) {
        return glu_ffn{packed[layer].view(), silu{}, policies[layer]};
    });
    owned_workspace memory{ffns[0].workspace_bytes()};
    std::array<traffic, layers> read{};
    spoken skipping;
    for (std::size_t sequence = 0; sequence < sequences; ++sequence) {
        const auto ffn = [&](auto layer, in x, out y) {
            read[layer] += ffns[layer](x, y, tokens_at_a_time{1, memory});
        };
        skipping.add(model.predict(sequence, ffn), next[sequence]);
    }

    std::printf(
        "\nCETT %.2f at the intermediate: perplexity %.4f times the dense one, %.1f %% of the predictions stay\n"
        "  layer   threshold     CETT   sparsity   bytes not read   Jaccard   any of 8 tokens wants\n",
        found.target, skipping.perplexity() / dense.perplexity(), percent(skipping.share()));
    for (std::size_t layer = 0; layer < layers; ++layer) {
        const double cett = seen[layer].get<2>().mean();
        const auto& stability = seen[layer].get<study::stability_meter>();
        const double skipped =
            static_cast<double>(read[layer].bytes_skipped()) / static_cast<double>(read[layer].bytes_dense);
        std::printf("  %5zu   %9.5f   %.4f %8.1f %% %14.1f %%   %7.3f   %19.1f %%\n", layer,
                    found.rules[layer].value, cett,
                    percent(seen[layer].get<study::sparsity_meter>().sparsity(site::intermediate)),
                    percent(skipped), stability.mean_jaccard(), percent(stability.union_share(3)));
        fine = fine && std::abs(cett - found.target) < 0.02 && skipped > 0;
    }
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
