/* types: stands for the types of a kernel, as fields.c wants them. */
enum mood { OTHER = 5, SAD = 9 };

struct part {
	char pad[3];
	unsigned y;
};

struct item {
	char text[5];
	struct {
		struct part parts[3];
		unsigned id;
	};
	struct {
		char c;
		unsigned long long wide;
	};
	int former;
	unsigned before : 13, high : 9, low : 2;
};

struct item item;
enum mood mood;
