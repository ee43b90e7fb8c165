#pragma once

struct part {
    int sum;
};
