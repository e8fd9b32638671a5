/* The recurrences of two detectors in plain C, as the yardstick of `bench_detectors.py`: a score, what was expected
   and the scale for each value, with no thought for missing values, large numbers or a floor. */
#include <math.h>

void ewma(const double *value, long n, double gain, double clip, double kept, double *score, double *expected,
          double *scale)
{
    double mean = value[0], variance = 1, error = 1, left = 1 - gain;
    for (long i = 0; i < n; i++) {
        double spread = 1 + error, square = variance * spread, unit = sqrt(square);
        double residual = value[i] - mean, learned = residual * residual, limit = clip * clip * square;
        expected[i] = mean;
        scale[i] = unit;
        score[i] = unit > 0 ? fabs(residual) / unit : 0;
        if (learned > limit) {
            residual = copysign(sqrt(limit), residual);
            learned = limit;
        }
        double for_mean = gain, for_variance = gain, next = left * (1 - gain);
        if (left > 0) {
            for_mean = gain / (1 - next);
            for_variance = gain / (1 - left);
        }
        mean += for_mean * residual;
        variance += for_variance * (learned / (kept * spread) - variance);
        error = (1 - for_mean) * (1 - for_mean) * error + for_mean * for_mean;
        left = next > 1e-17 ? next : 0;
    }
}

void rolling_zscore(const double *value, long n, long window, double *score, double *expected, double *scale)
{
    double sum = 0, square = 0;
    for (long i = 0; i < n; i++) {
        if (i >= window) {
            double mean = sum / window, variance = (square - sum * mean) / (window - 1);
            double unit = variance > 0 ? sqrt(variance) : 0, old = value[i - window];
            expected[i] = mean;
            scale[i] = unit;
            score[i] = unit > 0 ? fabs(value[i] - mean) / unit : 0;
            sum -= old;
            square -= old * old;
        }
        sum += value[i];
        square += value[i] * value[i];
    }
}
