/** What JAX 0.9 and jax-js 0.1.25 export, by module: names of functions and constants. */

export const jax: Record<string, string> = {
  'jax.numpy': `
    abs absolute acos acosh add all allclose amax amin angle any append apply_along_axis apply_over_axes arange arccos
    arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argpartition argsort argwhere around array array_equal
    array_equiv array_repr array_split array_str asarray asin asinh astype atan atan2 atanh atleast_1d atleast_2d
    atleast_3d average bartlett bincount bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or
    bitwise_right_shift bitwise_xor blackman block broadcast_arrays broadcast_shapes broadcast_to c_ can_cast cbrt ceil
    choose clip column_stack compress concat concatenate conj conjugate convolve copy copysign corrcoef correlate cos cosh
    count_nonzero cov cross cumprod cumsum cumulative_prod cumulative_sum deg2rad degrees delete diag diag_indices
    diag_indices_from diagflat diagonal diff digitize divide divmod dot dsplit dstack e ediff1d einsum einsum_path empty
    empty_like equal euler_gamma exp exp2 expand_dims expm1 extract eye fabs fill_diagonal finfo fix flatnonzero flip
    fliplr flipud float_power floor floor_divide fmax fmin fmod frexp from_dlpack frombuffer fromfile fromfunction fromiter
    frompyfunc fromstring full full_like gcd geomspace get_printoptions gradient greater greater_equal hamming hanning
    heaviside histogram histogram2d histogram_bin_edges histogramdd hsplit hstack hypot i0 identity iinfo imag index_exp
    indices inf inner insert interp intersect1d invert isclose iscomplex iscomplexobj isdtype isfinite isin isinf isnan
    isneginf isposinf isreal isrealobj isscalar issubdtype iterable ix_ kaiser kron lcm ldexp left_shift less less_equal
    lexsort linspace load log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor logspace
    mask_indices matmul matrix_transpose matvec max maximum mean median meshgrid mgrid min minimum mod modf moveaxis
    multiply nan nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod
    nanquantile nanstd nansum nanvar ndim negative newaxis nextafter nonzero not_equal ogrid ones ones_like outer packbits
    pad partition percentile permute_dims pi piecewise place poly polyadd polyder polydiv polyfit polyint polymul polysub
    polyval positive pow power printoptions prod promote_types ptp put put_along_axis quantile r_ rad2deg radians ravel
    ravel_multi_index real reciprocal remainder repeat reshape resize result_type right_shift rint roll rollaxis roots
    rot90 round s_ save savez searchsorted select set_printoptions setdiff1d setxor1d shape sign signbit sin sinc sinh size
    sort sort_complex spacing split sqrt square squeeze stack std subtract sum swapaxes take take_along_axis tan tanh
    tensordot tile trace trapezoid transpose tri tril tril_indices tril_indices_from trim_zeros triu triu_indices
    triu_indices_from true_divide trunc ufunc union1d unique unique_all unique_counts unique_inverse unique_values
    unpackbits unravel_index unstack unwrap vander var vdot vecdot vecmat vectorize vsplit vstack where zeros zeros_like`,
  'jax.numpy.linalg': `
    cholesky cond cross det diagonal eig eigh eigvals eigvalsh inv lstsq matmul matrix_norm matrix_power matrix_rank
    matrix_transpose multi_dot norm outer pinv qr slogdet solve svd svdvals tensordot tensorinv tensorsolve trace vecdot
    vector_norm`,
  'jax.numpy.fft': `
    fft fft2 fftfreq fftn fftshift hfft ifft ifft2 ifftn ifftshift ihfft irfft irfft2 irfftn rfft rfft2 rfftfreq rfftn`,
  'jax.lax': `
    abs acos acosh add after_all approx_max_k approx_min_k argmax argmin asin asinh atan atan2 atanh batch_matmul
    bessel_i0e bessel_i1e betainc bitcast_convert_type bitwise_and bitwise_not bitwise_or bitwise_xor broadcast
    broadcast_in_dim broadcast_shapes broadcast_to_rank broadcasted_iota cbrt ceil clamp clz collapse complex composite
    concatenate conj conv conv_dimension_numbers conv_general_dilated conv_general_dilated_local
    conv_general_dilated_patches conv_transpose conv_with_general_padding convert_element_type cos cosh cumlogsumexp cummax
    cummin cumprod cumsum digamma div dot dot_general dynamic_index_in_dim dynamic_slice dynamic_slice_in_dim
    dynamic_update_index_in_dim dynamic_update_slice dynamic_update_slice_in_dim empty eq erf erf_inv erfc exp exp2
    expand_dims expm1 fft floor full full_like gather ge gt igamma igamma_grad_a igammac imag index_in_dim index_take
    integer_pow iota is_finite le lgamma log log1p logistic lt max min mul ne neg nextafter optimization_barrier pad
    platform_dependent polygamma population_count pow ragged_all_to_all ragged_dot ragged_dot_general random_gamma_grad
    real reciprocal reduce reduce_and reduce_max reduce_min reduce_or reduce_precision reduce_prod reduce_sum reduce_window
    reduce_xor rem reshape rev rng_bit_generator rng_uniform round rsqrt scatter scatter_add scatter_apply scatter_max
    scatter_min scatter_mul scatter_sub shift_left shift_right_arithmetic shift_right_logical sign sin sinh slice
    slice_in_dim sort sort_key_val split sqrt square squeeze sub tan tanh top_k transpose zeta
    associative_scan cond fori_loop map scan select select_n switch while_loop stop_gradient custom_linear_solve custom_root
    all_gather all_to_all psum psum_scatter pmax pmin pmean ppermute pshuffle pswapaxes axis_index axis_size psend precv
    with_sharding_constraint`,
  'jax.lax.linalg': `
    cholesky cholesky_update eig eigh hessenberg householder_product lu lu_pivots_to_permutation qdwh qr schur svd
    symmetric_product triangular_solve tridiagonal tridiagonal_solve`,
  'jax.nn': `
    celu dot_product_attention elu gelu get_scaled_dot_general_config glu hard_sigmoid hard_silu hard_swish hard_tanh
    identity leaky_relu log1mexp log_sigmoid log_softmax logmeanexp logsumexp mish one_hot relu relu6 scaled_dot_general
    scaled_matmul selu sigmoid silu soft_sign softmax softplus sparse_plus sparse_sigmoid squareplus standardize swish tanh`,
  'jax.random': `
    PRNGKey ball bernoulli beta binomial bits categorical cauchy chisquare choice clone dirichlet double_sided_maxwell
    exponential f fold_in gamma generalized_normal geometric gumbel key key_data key_impl laplace loggamma logistic
    lognormal maxwell multinomial multivariate_normal normal orthogonal pareto permutation poisson rademacher randint
    rayleigh split t triangular truncated_normal uniform wald weibull_min wrap_key_data`,
  'jax.scipy.special': `
    bernoulli beta betainc betaln comb digamma entr erf erfc erfcx erfinv exp1 expi expit expn factorial fresnel gamma
    gammainc gammaincc gammaln gammasgn hyp1f1 hyp2f1 i0 i0e i1 i1e kl_div log_ndtr log_softmax logit loggamma logsumexp
    lpmn lpmn_values multigammaln ndtr ndtri owens_t poch polygamma rel_entr sici softmax spence sph_harm sph_harm_y wofz
    xlog1py xlogy zeta`,
};

/** The names of jax-js's npm build that are functions of arrays, or transformations. */
export const jaxJs: Record<string, string> = {
  jax: 'devicePut grad hessian jacfwd jacrev jit jvp linearize makeJaxpr valueAndGrad vjp vmap',
  'jax.lax': `
    bitcastConvertType conv convGeneralDilated convTranspose convWithGeneralPadding dot erf erfc reduceWindow stopGradient
    topK`,
  'jax.lax.linalg': 'cholesky eigh lu svd triangularSolve',
  'jax.nn': `
    celu dotProductAttention elu gelu glu hardSigmoid hardSilu hardSwish hardTanh identity leakyRelu log1mexp logSigmoid
    logSoftmax logmeanexp logsumexp mish oneHot relu relu6 selu sigmoid silu softSign softmax softplus sparsePlus
    sparseSigmoid squareplus standardize swish`,
  'jax.numpy': `
    abs absolute acos acosh add all allclose any append applyAlongAxis applyOverAxes arange arccos arccosh arcsin arcsinh
    arctan arctan2 arctanh argmax argmin argsort around array arrayEqual arrayEquiv arraySplit asin asinh astype atan atan2
    atanh average bartlett bitwiseAnd bitwiseCount bitwiseInvert bitwiseLeftShift bitwiseNot bitwiseOr bitwiseRightShift
    bitwiseXor blackman broadcastArrays broadcastShapes broadcastTo cbrt ceil clip columnStack concatenate convolve copysign
    corrcoef correlate cos cosh countNonzero cov cross cumprod cumsum cumulativeProd cumulativeSum deg2rad degrees diag
    diagIndices diagIndicesFrom diagflat diagonal diff divide divmod dot dsplit dstack e ediff1d einsum equal eulerGamma exp
    exp2 expandDims expm1 eye finfo flip fliplr flipud floatPower floor floorDivide fmax fmin fmod frexp fromfunction full
    fullLike geomspace greater greaterEqual heaviside hsplit hstack hypot identity iinfo indices inf inner invert isfinite
    isin isinf isnan isneginf isposinf isscalar ldexp leftShift less lessEqual linspace log log10 log1p log2 logaddexp
    logaddexp2 logicalAnd logicalNot logicalOr logicalXor logspace matmul matrixTranspose matvec max maximum mean meshgrid
    min minimum modf moveaxis multiply nan nanToNum nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmin nanprod
    nanstd nansum nanvar ndim negative notEqual ones onesLike outer pad permuteDims pi polyadd polyder polymul polysub
    polyval positive pow power prod promoteTypes ptp rad2deg radians ravel reciprocal remainder repeat reshape resultType
    rightShift rint roll rot90 round select shape sign signbit sin sinc sinh size sort split sqrt square squeeze stack std
    subtract sum swapaxes take takeAlongAxis tan tanh tensordot tile trace transpose trapezoid tri tril triu trueDivide
    trunc unstack unwrap vander var vdot vecdot vecmat vsplit vstack where zeros zerosLike`,
  'jax.numpy.fft': `
    fft fft2 fftfreq fftn fftshift hfft ifft ifft2 ifftn ifftshift ihfft irfft irfft2 irfftn rfft rfft2 rfftfreq rfftn`,
  'jax.numpy.linalg': `
    cholesky cross det diagonal eigh eigvalsh inv lstsq matmul matrixNorm matrixPower matrixTranspose multiDot norm outer
    slogdet solve svd svdvals tensordot trace vecdot vectorNorm`,
  'jax.random': `
    ball bernoulli bits categorical cauchy choice doubleSidedMaxwell exponential geometric gumbel key laplace logistic
    lognormal maxwell multivariateNormal normal pareto permutation rademacher randint rayleigh split triangular uniform
    weibullMin`,
  'jax.scipy.special': 'erf erfc logSoftmax logit logsumexp softmax',
};
