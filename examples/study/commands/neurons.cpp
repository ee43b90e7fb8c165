#include "measure/neurons.hpp"
#include "commands/commands.hpp"
#include "commands/results.hpp"
#include "error.hpp"
#include "measure/cett.hpp"
#include "output/picture.hpp"
#include "settings.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace app {
namespace {

class neurons_command final : public command {
  public:
    const char* name() const override { return "neurons"; }
    const char* help() const override {
        return "how often each neuron is active, and which contexts activate it most";
    }
    const char* lesson() const override {
        return "For each neuron: activation frequency (tokens where the mask keeps it / tokens), contribution (the mean of |i| "
               "times the norm\nof its column in W_down), and the --contexts places in the text with its largest values. The "
               "report shows the neurons that\ncontribute most; neurons.csv and contexts.csv have all. The picture is each "
               "layer's sorted curve of frequencies.";
    }
    void add_options(const option_adder& to) override {
        to.add("--rule", rule_text_, "whose masks say what is active (default: top_p)", "NAME");
        to.add("--value", value_text_, "its value (default: 0.9)", "V");
        to.add("--contexts", contexts_text_, "kept for each neuron (default: 5)", "N");
        to.add("--show", show_text_, "neurons of each layer in the report (default: 5)", "N");
    }
    void check() override {
        rule_ = &parse_rule(rule_text_);
        const auto values = parse_values(value_text_, *rule_, "--value", &notes);
        if (values.size() != 1) {
            throw error("--value: one value is needed, here are ", values.size());
        }
        value_ = values.front();
        contexts_ = parse_count(contexts_text_, "--contexts", 1000);
        show_ = parse_count(show_text_, "--show", 1'000'000);
    }
    void run(const common_options& o) override {
        inputs models{o, false};
        for_each_subject(o, models, [&](std::size_t number, progress& shown) {
            return study_of(models.subjects()[number], models.tokens_of(number), o, shown);
        });
    }

  private:
    document study_of(const subject& s, const tokenizer& tokens, const common_options& o,
                      progress& shown) const {
        const site_choice& where = site_choices()[3];
        const condition masks = masked(s.layers(), where, *rule_, value_);
        const auto norms = neuron_norms_of(s.model);
        shown.begin(s.name + ": reading");
        const auto found = neurons_of(s, masks, where.sites.front(), contexts_, norms, o.threads,
                                      [&](std::size_t done, std::size_t all) { shown.update(done, all); });

        const auto plain = measure(
            s, {dense(s.layers())}, o.threads,
            [&](std::size_t done, std::size_t all) { shown.update(done, all); }, {}, false);

        document d{"Neurons of " + s.name};
        d.notes.merge(notes_on(s, plain.front()));
        d.paragraph(describe(s) +
                    line(" Active: kept by ", rule_->name, ' ', value_.text, " at the intermediate."));
        table layers{"layers",
                     {{"layer", "", column::all},
                      {"mean_frequency", "mean activation frequency", column::all},
                      {"never", "never active", column::all},
                      {"rare", "active for under 1 %", column::all},
                      {"always", "active for over 99 %", column::all}}};
        table all{"neurons",
                  {{"layer", "", column::all},
                   {"neuron", "", column::all},
                   {"frequency", "", column::all},
                   {"contribution", "", column::all},
                   {"mean_magnitude", "", column::all}}};
        table contexts{"contexts",
                       {{"layer", "", column::all},
                        {"neuron", "", column::all},
                        {"rank", "", column::all},
                        {"value", "", column::all},
                        {"story", "", column::all},
                        {"position", "", column::all},
                        {"context", "", column::all}}};
        table best{"strongest",
                   {{"layer", "", column::all},
                    {"neuron", "", column::all},
                    {"frequency", "active for", column::all},
                    {"contribution", "", column::all},
                    {"contexts", "contexts, the token in brackets", column::all}}};
        table screen{"screen",
                     {{"layer", "", column::all},
                      {"mean", "mean frequency", column::all},
                      {"never", "never active", column::all},
                      {"neuron", "strongest neuron", column::all},
                      {"frequency", "active for", column::all},
                      {"context", "", column::all}}};
        panel p{"sorted activation frequencies",
                "neurons (%), most frequent first",
                "activation frequency (% of tokens)",
                {0, 100},
                {0, 100},
                {},
                {},
                "",
                false,
                false};
        for (std::size_t l = 0; l < s.layers(); ++l) {
            const auto& top = found[l].get<study::top_contexts>();
            const auto& frequency = found[l].get<study::frequency_meter>();
            const std::size_t neurons = s.model.config.hidden_dim;
            std::vector<std::size_t> order(neurons);
            std::iota(order.begin(), order.end(), std::size_t{0});
            std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
                return top.contribution(a) > top.contribution(b);
            });
            for (std::size_t n = 0; n < neurons; ++n) {
                all.add({count_cell(l), count_cell(n), share_cell(frequency.frequency(n)),
                         number_cell(top.contribution(n), 6), number_cell(top.mean_magnitude(n), 6)});
                std::size_t rank = 0;
                for (const auto& c : top.top(n)) {
                    contexts.add({count_cell(l), count_cell(n), count_cell(++rank),
                                  number_cell(static_cast<double>(c.value), 5),
                                  count_cell(s.stories[c.sequence].number),
                                  count_cell(s.stories[c.sequence].begin_in_story + c.position),
                                  text_cell(around(s, tokens, c, 12))});
                }
            }
            for (std::size_t i = 0; i < std::min(show_, neurons); ++i) {
                std::string shown_contexts;
                for (const auto& c :
                     top.top(order[i]).first(std::min<std::size_t>(3, top.top(order[i]).size()))) {
                    shown_contexts += (shown_contexts.empty() ? "" : " / ") + around(s, tokens, c, 5);
                }
                best.add({count_cell(l), count_cell(order[i]), share_cell(frequency.frequency(order[i])),
                          number_cell(top.contribution(order[i]), 4), text_cell(shown_contexts)});
            }
            const auto sorted = frequency.sorted();
            series curve{line("layer ", l), {}, {}, false, true};
            for (std::size_t i = 0; i < sorted.size(); ++i) {
                curve.points.push_back(
                    {100 * (static_cast<double>(i) + 0.5) / static_cast<double>(sorted.size()),
                     100 * sorted[i]});
            }
            p.curves.push_back(std::move(curve));
            const auto share_of = [&](auto&& which) {
                return static_cast<double>(std::count_if(sorted.begin(), sorted.end(), which)) /
                       static_cast<double>(sorted.size());
            };
            const double mean =
                std::accumulate(sorted.begin(), sorted.end(), 0.0) / static_cast<double>(sorted.size());
            const auto strongest = top.top(order[0]);
            screen.add({count_cell(l), share_cell(mean, 1),
                        share_cell(share_of([](double f) { return f == 0; }), 1), count_cell(order[0]),
                        share_cell(frequency.frequency(order[0]), 1),
                        text_cell(strongest.empty() ? "-" : around(s, tokens, strongest.front(), 5))});
            layers.add({count_cell(l),
                        share_cell(std::accumulate(sorted.begin(), sorted.end(), 0.0) /
                                   static_cast<double>(sorted.size())),
                        share_cell(share_of([](double f) { return f == 0; })),
                        share_cell(share_of([](double f) { return f < 0.01; })),
                        share_cell(share_of([](double f) { return f > 0.99; }))});
        }
        d.add(draw_panels("frequency", s.name + ": " + measured_on(s), {p}));
        d.headline(line("Active: kept by ", rule_->name, ' ', value_.text,
                        " at the intermediate. Dense: PPL ", fixed(plain.front().text.perplexity(), 4),
                        ". The neurons of most contribution:"));
        d.on_screen(std::move(screen));
        d.add(std::move(layers));
        d.paragraph("The neurons that contribute most:");
        d.add(std::move(best));
        d.add_data(std::move(all));
        d.add_data(std::move(contexts));
        return d;
    }

    /// With U+FFFD for each byte that is no part of a character: tokens can be bytes, and a bracket between them.
    static std::string whole_characters(const std::string& bytes) {
        std::string text;
        for (std::size_t at = 0; at < bytes.size();) {
            const auto lead = static_cast<unsigned char>(bytes[at]);
            const std::size_t size = lead < 0x80            ? 1
                                     : lead >> 5 == 0b110   ? 2
                                     : lead >> 4 == 0b1110  ? 3
                                     : lead >> 3 == 0b11110 ? 4
                                                            : 0;
            bool whole = size > 0 && at + size <= bytes.size();
            for (std::size_t i = 1; whole && i < size; ++i) {
                whole = static_cast<unsigned char>(bytes[at + i]) >> 6 == 0b10;
            }
            text += whole ? bytes.substr(at, size) : "\xef\xbf\xbd";
            at += whole ? size : 1;
        }
        return text;
    }

    /// "... once the cat [sat] on": some tokens before a context's token, the token, one behind.
    static std::string around(const subject& s, const tokenizer& tokens, const study::context& c,
                              std::size_t before) {
        const auto& story = s.stories[c.sequence];
        const std::size_t at = c.position, first = at > before ? at - before : 0;
        const auto text = [&](std::size_t from, std::size_t to) {
            return whole_characters(tokens.decode(
                std::vector<token>(story.begin() + static_cast<std::ptrdiff_t>(from),
                                   story.begin() + static_cast<std::ptrdiff_t>(std::min(to, story.size())))));
        };
        std::string here = text(at, at + 1);
        const bool space = here.starts_with(' ');
        std::string line_of = (first > 0 ? "..." : "") + text(first, at) + (space ? " [" : "[") +
                              here.substr(space ? 1 : 0) + "]" + text(at + 1, at + 2);
        for (char& ch : line_of) {
            ch = ch == '\n' || ch == '|' ? ' ' : ch;
        }
        return line_of;
    }

    std::string rule_text_ = "top_p", value_text_ = "0.9", contexts_text_ = "5", show_text_ = "5";
    const rule_family* rule_ = nullptr;
    rule_value value_{0.9, "0.9"};
    std::size_t contexts_ = 5, show_ = 5;
};

} // namespace

std::unique_ptr<command> make_neurons() { return std::make_unique<neurons_command>(); }

} // namespace app
