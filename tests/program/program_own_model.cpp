// A model from elsewhere: what examples/study/to_llama2c.py writes is what the program reads.

#include "support_desk.hpp"

using namespace study_test;

TEST_CASE("a model in PyTorch's names is written as the program reads it, and measures the same") {
    const desk d;
    const auto here = std::filesystem::path{__FILE__}.parent_path();
    header own_classifier;
    own_classifier.vocab_size = -290;
    for (const header& h : {header{}, own_classifier}) {
        put(d.folder / "m.bin", make_checkpoint(h).text());
        const std::string command = "cd '" + d.folder.path().string() + "' && python3 '" +
                                    (here / "to_llama2c.py").string() + "' '" +
                                    (here / "../../examples/study").string() + "' m.bin t.bin 2>python.log";
        const int status = std::system(command.c_str());
        const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        if (code == 77 || code == 127) {
            MESSAGE("skipped: there is no python3 with numpy");
            return;
        }
        CHECK_MESSAGE(code == 0, content(d.folder / "python.log"));
        const std::string options = " --text text.txt --sites up --values 0.9 --csv";
        const std::string first = d.good("--checkpoint m.bin --tokenizer t.bin" + options);
        std::string again = d.good("--checkpoint again.bin --tokenizer again.tok" + options);
        for (std::size_t at; (at = again.find("again.bin")) != std::string::npos;) {
            again.replace(at, 9, "m.bin");
        }
        CHECK(again == first);
    }
}
