/*
 * Answers the questions of generate.ts with what C and Redis's own sources do: one question a line on standard input, one
 * answer a line on standard output. generate.ts shows how it is built. Arguments are hexadecimal so that any byte can be asked.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hdr_histogram.h"
#include "util.h"
#include "sds.h"
#include "crc64.h"
#include "lzf.h"

static char word[4][1 << 17];
static size_t length[4];

static int unhex(const char *from, char *to) {
    int n = 0;
    for (unsigned value; sscanf(from, "%2x", &value) == 1; from += 2) to[n++] = (char)value;
    to[n] = '\0';
    return n;
}

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, 8);
    return bits;
}

static void put_hex(const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) printf("%02x", (unsigned char)bytes[i]);
}

/* parse TEXT: bits by string2d (or -), bits by strtod, bytes it used, whether ERANGE */
static void parse_double(void) {
    double whole, prefix;
    char *end;
    int ok = string2d(word[0], length[0], &whole);
    errno = 0;
    prefix = strtod(word[0], &end);
    int range = errno == ERANGE;
    if (ok) printf("%016" PRIx64, bits_of(whole)); else printf("-");
    if (prefix != prefix) printf(" nan"); else printf(" %016" PRIx64, bits_of(prefix));
    printf(" %d %d\n", (int)(end - word[0]), range);
}

/* print BITS: %.17g d2string %.0f %.1f %.2f %.3f %.4f %.17f fixedpoint_d2string(4) */
static void print_double(void) {
    uint64_t bits;
    double value;
    char text[8192];
    memcpy(&bits, word[0], 8);
    bits = __builtin_bswap64(bits);
    memcpy(&value, &bits, 8);
    printf("%.17g", value);
    d2string(text, sizeof(text), value);
    printf(" %s %.0f %.1f %.2f %.3f %.4f %.17f", text, value, value, value, value, value, value);
    fixedpoint_d2string(text, sizeof(text), value, 4);
    printf(" %s\n", text);
}

/* add A B: the text of A alone, of B alone, and of the sum; - for what string2ld refuses */
static void add_long_double(void) {
    static char text[6000];
    long double value[2];
    int ok[2];
    for (int i = 0; i < 2; i++) {
        ok[i] = string2ld(word[i], length[i], &value[i]);
        if (ok[i]) ld2string(text, sizeof(text), value[i], LD_STR_HUMAN);
        printf("%s ", ok[i] ? text : "-");
    }
    if (ok[0] && ok[1]) ld2string(text, sizeof(text), value[0] + value[1], LD_STR_HUMAN);
    printf("%s\n", ok[0] && ok[1] ? text : "-");
}

/* glob PATTERN TEXT: match, match without case */
static void glob(void) {
    printf("%d %d\n", stringmatchlen(word[0], length[0], word[1], length[1], 0),
           stringmatchlen(word[0], length[0], word[1], length[1], 1));
}

/* split LINE: the words in hex, commas after each; null */
static void split(void) {
    int count;
    sds *words = sdssplitargs(word[0], &count);
    if (words == NULL) {
        printf("null\n");
        return;
    }
    for (int i = 0; i < count; i++) {
        put_hex(words[i], sdslen(words[i]));
        printf(",");
    }
    printf("\n");
    sdsfreesplitres(words, count);
}

/* repr BYTES: the text, and whether it is needed */
static void repr(void) {
    sds bytes = sdsnewlen(word[0], length[0]);
    sds text = sdscatrepr(sdsempty(), word[0], length[0]);
    printf("%d %s\n", sdsneedsrepr(bytes), text);
    sdsfree(text);
    sdsfree(bytes);
}

/* crc BYTES: crc64 from zero */
static void crc(void) { printf("%016" PRIx64 "\n", crc64(0, (unsigned char *)word[0], length[0])); }

/* lzf BYTES: compressed into four bytes less than the input, as for RDB strings; - when that does not fit */
static void lzf(void) {
    static char out[1 << 17];
    size_t size = length[0] > 4 ? lzf_compress(word[0], length[0], out, length[0] - 4) : 0;
    if (size == 0) printf("-");
    else put_hex(out, size);
    printf("\n");
}

/* unlzf BYTES and a size as two bytes: decompressed, - when refused */
static void unlzf(void) {
    static char out[1 << 17];
    size_t room = ((unsigned char)word[1][0] << 8) | (unsigned char)word[1][1];
    size_t size = lzf_decompress(word[0], length[0], out, room);
    if (size == 0) printf("-");
    else put_hex(out, size);
    printf("\n");
}

/* hdr VALUES of four bytes each: percentiles 0 50 90 99 99.9 100, then the pairs of LATENCY HISTOGRAM before division */
static void hdr(void) {
    static const double percentiles[] = {0, 1, 50, 90, 99, 99.9, 100};
    struct hdr_histogram *histogram;
    struct hdr_iter iter;
    int64_t previous = 0;
    hdr_init(1, 1000000000, 2, &histogram);
    for (size_t i = 0; i + 4 <= length[0]; i += 4) {
        unsigned char *p = (unsigned char *)word[0] + i;
        hdr_record_value(histogram, (int64_t)((uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]));
    }
    for (int i = 0; i < 7; i++) printf("%" PRId64 " ", hdr_value_at_percentile(histogram, percentiles[i]));
    hdr_iter_log_init(&iter, histogram, 1024, 2);
    while (hdr_iter_next(&iter)) {
        if (iter.cumulative_count > previous)
            printf("%" PRId64 ":%" PRId64 ",", iter.highest_equivalent_value, iter.cumulative_count);
        previous = iter.cumulative_count;
    }
    printf("\n");
    hdr_close(histogram);
}

int main(void) {
    static char line[1 << 19];
    crc64_init();
    while (fgets(line, sizeof(line), stdin)) {
        char *part = strtok(line, " \n");
        char *name = part;
        for (int i = 0; i < 4; i++) length[i] = 0;
        for (int i = 0; (part = strtok(NULL, " \n")) && i < 4; i++) length[i] = unhex(*part == '.' ? "" : part, word[i]);
        if (!strcmp(name, "parse")) parse_double();
        else if (!strcmp(name, "print")) print_double();
        else if (!strcmp(name, "add")) add_long_double();
        else if (!strcmp(name, "glob")) glob();
        else if (!strcmp(name, "split")) split();
        else if (!strcmp(name, "repr")) repr();
        else if (!strcmp(name, "crc")) crc();
        else if (!strcmp(name, "lzf")) lzf();
        else if (!strcmp(name, "unlzf")) unlzf();
        else if (!strcmp(name, "hdr")) hdr();
        else return 1;
        fflush(stdout);
    }
    return 0;
}
