# The chart of `make bench`: a line for each case, and on it a point for each
# column, with its smallest and its largest figure.  run sets data, the file, chart,
# columns and n_rows; a row of the file is: number, case, column, unit, smallest,
# median, largest.
set terminal svg noenhanced size 1000, 170 + 26 * n_rows font "sans-serif,13" background "white"
set output chart
set datafile separator "\t"

# Bytes have no place on this axis.
figure (field, name) = strcol (3) eq name && strcol (4) eq "ns" ? column (field) : NaN

set tmargin 5
set title "Pooly's four versions and their peers: less is better"
set xlabel "nanoseconds for each: the median, from the smallest to the largest"
set logscale x
set format x "1e%T"
set yrange [n_rows - 0.5:-0.5]
set grid xtics ytics linecolor "#dddddd" linetype 1
set key at screen 0.5, 0.99 center top horizontal maxrows 1 samplen 2
set border linecolor "#555555"

colour (name) = name eq "v1" ? 0x9ecae1 : name eq "v2" ? 0x4292c6 : \
  name eq "v3" ? 0x2171b5 : name eq "v4" ? 0x08306b : \
  name eq "poolboy" ? 0xd94801 : 0x31a354
point (name) = name eq "v4" ? 7 : name eq "poolboy" ? 5 : name eq "apr_reslist" ? 9 : 6

plot for [name in columns] data using \
  (figure (6, name)):1:(figure (5, name)):(figure (7, name)):ytic (2) \
  with xerrorbars linewidth 1.5 pointtype point (name) linecolor rgb colour (name) \
  title name
